#include "crypto/verifying_key.h"

#include "crypto/digest.h"
#include "crypto/openpgp_signature.h"
#include "crypto/rsa_public_key.h"
#include "crypto/ssh_key.h"
#include "crypto/sshsig.h"

namespace mig {
namespace {

constexpr std::size_t kRawBytes = 64;
constexpr std::string_view kRsaType = "rsa";

bool VerifyRaw(BytesView material, BytesView message, BytesView signature) {
  const auto key = PublicKey::FromBytes(material);
  return key && key->Verify(message, signature);
}

}  // namespace

Expected<VerifyingKey> VerifyingKey::From(std::string_view type, BytesView key) {
  if (type == ssh::kEd25519Type || type == ssh::kSkEd25519Type) {
    if (auto ok = ssh::CheckKey(type, key); !ok) {
      return Error(Errc::kMalformed, ok.error().message());
    }
    return VerifyingKey(type, key, PublicKey::kBytes);
  }
  if (type == kRsaType) {
    if (auto ok = RsaPublicKey::FromDer(key); !ok) {
      return Error(Errc::kMalformed, ok.error().message());
    }
    return VerifyingKey(type, key, key.size());
  }
  return Error(Errc::kUnsupported,
               "a key of type `" + std::string(type.substr(0, 32)) + "` verifies nothing here");
}

BytesView VerifyingKey::Material() const { return BytesView(key_).substr(0, material_bytes_); }

Bytes VerifyingKey::Fingerprint() const { return Sha256(Material()); }

bool VerifyingKey::Verify(BytesView message, BytesView signature) const {
  if (signature.size() == kRawBytes) {
    return type_ == ssh::kEd25519Type && VerifyRaw(Material(), message, signature);
  }
  if (sshsig::IsBlob(signature)) return sshsig::Verify(signature, message, type_, key_).has_value();
  // A token signs only what SSH frames for it.
  return type_ != ssh::kSkEd25519Type &&
         openpgp::VerifyDetached(signature, message, type_, Material()).has_value();
}

}  // namespace mig
