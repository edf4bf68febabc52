// How people and agents come in at the API: the payloads of the envelopes that open a session,
// enrol an agent and renew its certificate (wire.md, "Access"). Each is signed by the key it is
// about: a session by the investigator's, the others by the agent's own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::string_view kSessionType = "application/vnd.mig.session.v1+json";
inline constexpr std::string_view kEnrolType = "application/vnd.mig.enroll.v1+json";
inline constexpr std::string_view kRenewType = "application/vnd.mig.renew.v1+json";
inline constexpr std::chrono::hours kMaxSessionValidity{8};

// "For this long, requests signed with this key are mine." Signed once by the investigator's key,
// so that a smart card is touched once. A session key never signs an action.
struct SessionRequest {
  OrgId org;
  Bytes key;  // Ed25519 public key of the session, 32 bytes
  UtcTime validfrom, expireafter;
  Bytes nonce;  // 16 random bytes
};

struct EnrolRequest {
  OrgId org;
  Bytes token;      // the secret of an enrolment token
  Bytes key;        // the agent's Ed25519 public key, 32 bytes; it signs this envelope
  std::string csr;  // PEM, for the TLS key
  std::string name;
};

struct RenewRequest {
  OrgId org;
  Bytes key;
  std::string csr;
  UtcTime time;
  Bytes nonce;
};

// What an agent gets back from both: documents are envelopes as they were signed.
struct EnrolAnswer {
  std::string certificate;  // PEM
  std::string agents_ca;    // PEM
  std::vector<json::object> roots;
  json::object policy;
  std::optional<json::object> freshness;
  std::optional<json::object> grant;  // of the token that the agent enrolled with
};

Expected<SessionRequest> DecodeSessionRequest(BytesView payload);
Bytes EncodeSessionRequest(const SessionRequest& request);
Expected<EnrolRequest> DecodeEnrolRequest(BytesView payload);
Bytes EncodeEnrolRequest(const EnrolRequest& request);
Expected<RenewRequest> DecodeRenewRequest(BytesView payload);
Bytes EncodeRenewRequest(const RenewRequest& request);
Expected<EnrolAnswer> DecodeEnrolAnswer(BytesView text);
Bytes EncodeEnrolAnswer(const EnrolAnswer& answer);

// What `mig api token new` prints and an agent's configuration holds: base64url of JSON. It says
// where the API is and how to know it, so that enrolment trusts nothing else.
struct EnrolToken {
  std::string api;  // https://host:port
  Bytes pin;        // SHA-256 of the servers' CA's SubjectPublicKeyInfo
  OrgId org;
  Bytes secret;  // 32 random bytes; the server keeps their SHA-256
};
Expected<EnrolToken> ReadEnrolToken(std::string_view text);
std::string WriteEnrolToken(const EnrolToken& token);

}  // namespace mig
