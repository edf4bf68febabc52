#include "crypto/signer.h"

#include <cassert>

#include "crypto/ssh_key.h"
#include "crypto/verifying_key.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::string_view kEd25519Form = "ed25519";

}  // namespace

Bytes Signer::Fingerprint() const {
  const auto key = VerifyingKey::From(key_.type, key_.key);
  assert(key && "who made the signer had a key that verifies");
  return key->Fingerprint();
}

Expected<Signature> Signer::Sign(std::string_view payload_type, BytesView payload) {
  const Bytes message = PreAuthEncoding(payload_type, payload);
  auto made = SignBytes(message);
  if (!made) return std::move(made).error();
  // As everybody will read it: one place says what form some bytes are of.
  const auto key = VerifyingKey::From(key_.type, key_.key);
  if (!key || !key->Verify(message, made->sig)) {
    return Error(Errc::kInternal,
                 key_.source +
                     ": what it gave is no valid signature by this key; nothing was "
                     "signed");
  }
  return Signature{EncodeBase32(key->Fingerprint()), std::move(made->sig), std::move(made->form)};
}

Expected<void> AddSignature(Envelope& envelope, Signer& signer) {
  auto signature = signer.Sign(envelope.payload_type, envelope.payload);
  if (!signature) return std::move(signature).error();
  envelope.signatures.push_back(std::move(*signature));
  return {};
}

Expected<Envelope> Seal(std::string_view payload_type, Bytes payload, Signer& signer) {
  Envelope envelope{std::string(payload_type), std::move(payload), {}};
  if (auto added = AddSignature(envelope, signer); !added) return std::move(added).error();
  return envelope;
}

SecretKeySigner::SecretKeySigner(KeyFile file, std::string source)
    : Signer({std::string(ssh::kEd25519Type), Bytes(file.secret.public_key().View()),
              std::move(file.name), std::move(source)}),
      secret_(std::move(file.secret)) {}

Expected<Signer::Made> SecretKeySigner::SignBytes(BytesView message) {
  return Made{secret_.Sign(message), std::string(kEd25519Form)};
}

}  // namespace mig
