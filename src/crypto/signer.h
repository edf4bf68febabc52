// Whoever signs for a person: a key file, an agent that holds the key, or a card. What is signed is
// always the pre-authentication encoding of a payload; the form of the signature is the signer's
// business, and the verifier's (crypto/verifying_key.h). Those that talk to other programs are in
// cli/.
#pragma once

#include <string>
#include <string_view>

#include "crypto/envelope.h"
#include "crypto/key_file.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

// The public half, as roots and policies name it (wire.md, "Root"), and what to call it.
struct SignerKey {
  std::string type;    // ed25519, sk-ed25519, rsa
  Bytes key;           //
  std::string name;    // "Full Name <mail>"; what is known of the owner, and never empty
  std::string source;  // where it is, for messages: a file, "ssh-agent (SHA256:…)", "gpg (FPR)"
};

class Signer {
 public:
  explicit Signer(SignerKey key) : key_(std::move(key)) {}
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  const SignerKey& key() const { return key_; }
  const std::string& name() const { return key_.name; }
  // SHA-256 of the key's material: its id (proto/ids.h, KeyId).
  Bytes Fingerprint() const;

  // Signs, and verifies what came back before anybody sends it. May wait for a person: a
  // passphrase, a touch, a PIN; each signer has its own deadline. Errors: kDenied: refused by a
  // person or an agent; kUnavailable: the agent, card or key is away; kTimeout; kInternal: what
  // came back is no signature over these bytes by this key.
  Expected<Signature> Sign(std::string_view payload_type, BytesView payload);

 protected:
  struct Made {
    Bytes sig;
    std::string form;
  };
  virtual Expected<Made> SignBytes(BytesView message) = 0;

 private:
  SignerKey key_;
};

Expected<Envelope> Seal(std::string_view payload_type, Bytes payload, Signer& signer);
// On error the envelope is as before.
Expected<void> AddSignature(Envelope& envelope, Signer& signer);

// Signs with a secret key that this process holds, in the form `ed25519`. Never waits.
class SecretKeySigner : public Signer {
 public:
  SecretKeySigner(KeyFile file, std::string source);

 private:
  Expected<Made> SignBytes(BytesView message) override;
  SecretKey secret_;
};

}  // namespace mig
