// A person's public key of whichever type a document may name, and whether it made a signature, in
// whichever form people's tools write one. The type decides what is tried; what the signature says
// of itself beyond its own bytes (an envelope's `form`) is not looked at.
#pragma once

#include <string>
#include <string_view>

#include "crypto/ed25519.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

class VerifyingKey {
 public:
  // `type` and `key` as in wire.md, "Root". Errors: kUnsupported: no type that verifies anything;
  // kMalformed: bytes that are no key of that type, or a weaker one than is accepted.
  static Expected<VerifyingKey> From(std::string_view type, BytesView key);

  // What makes two keys the same key (proto/document_key.h).
  BytesView Material() const;
  Bytes Fingerprint() const;  // SHA-256 of the material: the key's id

  // Forms, told apart by the signature's bytes:
  //   ed25519     64 raw bytes (RFC 8032); an OpenPGP signature; SSHSIG
  //   sk-ed25519  SSHSIG, with a person's presence at the token
  //   rsa         an OpenPGP signature
  // A signature by any other key, over other bytes, in another form or with anything behind it is
  // false.
  bool Verify(BytesView message, BytesView signature) const;

  const std::string& type() const { return type_; }

 private:
  VerifyingKey(std::string_view type, BytesView key, std::size_t material_bytes)
      : type_(type), key_(key), material_bytes_(material_bytes) {}

  std::string type_;
  Bytes key_;
  std::size_t material_bytes_;
};

}  // namespace mig
