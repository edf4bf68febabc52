// DSSE envelopes (github.com/secure-systems-lab/dsse): payload type, exact payload bytes, and
// signatures over the pre-authentication encoding of both. Payloads are verified before anything
// parses them, and are never written again from parsed values.
#pragma once

#include <string>
#include <vector>

#include "crypto/ed25519.h"
#include "crypto/verifying_key.h"
#include "util/bytes.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::size_t kMaxEnvelopeBytes = 256 * 1024;
inline constexpr std::size_t kMaxSignatures = 32;

struct Signature {
  std::string keyid;  // base32 of the key's fingerprint; a hint, never trusted
  Bytes sig;
  std::string form = "ed25519";  // ed25519 | openpgp | sshsig; a hint, never trusted
};

struct Envelope {
  std::string payload_type;
  Bytes payload;
  std::vector<Signature> signatures;
};

// "DSSEv1 <len> <type> <len> <payload>".
Bytes PreAuthEncoding(std::string_view payload_type, BytesView payload);

Envelope Seal(std::string_view payload_type, Bytes payload, const SecretKey& key);
void AddSignature(Envelope& envelope, const SecretKey& key);

// True when some signature of the envelope verifies under `key`. For people's keys a signature
// whose `keyid` names another key is not tried.
bool SignedBy(const Envelope& envelope, const PublicKey& key);
bool SignedBy(const Envelope& envelope, const VerifyingKey& key);

// At most kMaxEnvelopeBytes, 1..kMaxSignatures signatures, no unknown field. Error: kMalformed,
// kUnsupported.
Expected<Envelope> DecodeEnvelope(BytesView text);
Expected<Envelope> EnvelopeFromJson(const json::object& fields, const std::string& where);
json::object EnvelopeToJson(const Envelope& envelope);
Bytes EncodeEnvelope(const Envelope& envelope);

}  // namespace mig
