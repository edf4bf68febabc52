// Signed HTTP requests: the part of HTTP Message Signatures (RFC 9421) that the API uses, and
// Content-Digest (RFC 9530). A session key signs method, whole URL and the body's digest with the
// time and a nonce; who may use that key is the API's business (roles/api/sessions.h). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/ed25519.h"
#include "net/http_message.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

// "sha-256=:<base64>:" (RFC 9530 section 2).
std::string ContentDigest(BytesView body);
// That the field's sha-256 is the body's. Other algorithms beside it are passed over; a field
// without sha-256 is refused. Errors: kMalformed, kDenied.
Expected<void> CheckContentDigest(std::string_view field, BytesView body);

// What the signature covers, with the values that signer and verifier each see for themselves.
struct SignedParts {
  std::string method;          // "POST"
  std::string target_uri;      // "https://host:port/v1/actions?limit=5"
  std::string content_digest;  // the field's value; empty: no body, not covered
};

struct SignatureParameters {
  UtcTime created;    // whole seconds
  std::string nonce;  // up to 64 printable ASCII characters
  std::string keyid;  // the same
};

// The fields to send.
struct SignatureFields {
  std::string signature_input;
  std::string signature;
};
SignatureFields SignRequest(const SignedParts& parts, const SignatureParameters& parameters,
                            const SecretKey& key);

// What a request's two fields say; nothing is believed yet.
struct ReceivedSignature {
  std::vector<std::string> components;  // "@method", …, in the order signed
  SignatureParameters parameters;
  std::string raw_parameters;  // as received: what the signature covers
  Bytes signature;             // 64 bytes
};
// Exactly one signature, alg ed25519 or none named, components without parameters of their own, and
// all of created, nonce and keyid. Errors: kMalformed, kUnsupported.
Expected<ReceivedSignature> ParseSignature(std::string_view signature_input,
                                           std::string_view signature);

// True when the signature covers @method, @target-uri and, where there is one, content-digest, and
// verifies under `key`. Time, nonce and whose key it is are the caller's to check.
bool VerifyRequest(const ReceivedSignature& received, const SignedParts& parts,
                   const PublicKey& key);

// All of that for a whole request: parses, checks the digest of the body, finds the key and
// verifies. `key_of` gives the key for a keyid, or nothing. What comes back is signed, and still
// needs its time and nonce checked. Errors: kMalformed, kUnsupported, kDenied.
Expected<SignatureParameters> VerifySignedRequest(
    std::string_view method, std::string_view target_uri, const HttpHeaders& headers,
    BytesView body, const std::function<std::optional<PublicKey>(std::string_view keyid)>& key_of);

// The two halves of that. The head alone, before a body is read that nobody known has sent:
// `has_body` says that one is announced, whose digest must then be signed. And that the body, when
// it is there, has that digest.
Expected<SignatureParameters> VerifySignedHead(
    std::string_view method, std::string_view target_uri, const HttpHeaders& headers, bool has_body,
    const std::function<std::optional<PublicKey>(std::string_view keyid)>& key_of);
Expected<void> CheckSignedBody(const HttpHeaders& headers, BytesView body);

// The text that is signed (RFC 9421 section 2.5), for any components with their values in order.
std::string SignatureBase(
    const std::vector<std::pair<std::string_view, std::string_view>>& components,
    std::string_view raw_parameters);

}  // namespace mig
