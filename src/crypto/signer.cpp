#include "crypto/signer.h"

#include "crypto/digest.h"
#include "crypto/ssh_key.h"
#include "crypto/verifying_key.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::string_view kEd25519Form = "ed25519";

BytesView MaterialOf(const SignerKey& key) {
  return key.type == ssh::kSkEd25519Type ? BytesView(key.key).substr(0, PublicKey::kBytes)
                                         : BytesView(key.key);
}

// As everybody will read it: one place says what form some bytes are of. A raw signature may begin
// like any packet.
bool Verifies(const SignerKey& key, BytesView message, BytesView signature) {
  const auto verifying = VerifyingKey::From(key.type, key.key);
  return verifying && verifying->Verify(message, signature);
}

}  // namespace

Bytes Signer::Fingerprint() const { return Sha256(MaterialOf(key_)); }

Expected<Signature> Signer::Sign(std::string_view payload_type, BytesView payload) {
  const Bytes message = PreAuthEncoding(payload_type, payload);
  auto made = SignBytes(message);
  if (!made) return std::move(made).error();
  if (!Verifies(key_, message, made->sig)) {
    return Error(Errc::kInternal,
                 key_.source +
                     ": what it gave is no valid signature by this key; nothing was "
                     "signed");
  }
  return Signature{EncodeBase32(Fingerprint()), std::move(made->sig), std::move(made->form)};
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
