// Who is asking: sessions that an investigator's key authorised once, and requests signed by the
// session's key, each good once. Decisions only; the store keeps the sessions.
//
// Nonces live in memory for as long as a signature is fresh. A request signed before this process
// started is refused, because the nonces of that time are gone: the client signs again.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_set>

#include "crypto/envelope.h"
#include "store/server_rows.h"
#include "trust/policy_chain.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::api {

inline constexpr std::chrono::minutes kMaxSkew{5};  // between a client's clock and ours

// The session that this envelope asks for, to be stored. Errors: kMalformed and kUnsupported as
// DecodeSessionRequest; kDenied: not signed by exactly one active person of the policy, or for
// another deployment; kExpired.
Expected<store::SessionRow> CheckSession(const Envelope& envelope, const TrustedPolicy& policy,
                                         UtcTime now);

// Admits each signed request once. Only on the API's thread.
class RequestGate {
 public:
  // `started`: when this process began. At most `most_nonces` requests within two skews.
  explicit RequestGate(UtcTime started, std::size_t most_nonces = 200'000);

  // After the signature has verified under the session's key: may this request be served? Returns
  // the person's id. Errors: kDenied: session lapsed, person not active any more, nonce used,
  // signed too long ago or too far ahead; kFull: too many requests at the moment.
  Expected<std::string> Admit(const store::SessionRow& session, std::string_view nonce,
                              UtcTime created, const TrustedPolicy& policy, UtcTime now);

 private:
  void Forget(UtcTime now);

  struct Remembered {
    UtcTime until;
    std::string nonce;  // session id and nonce
  };
  UtcTime started_;
  std::size_t most_nonces_;
  std::unordered_set<std::string> nonces_;
  std::deque<Remembered> order_;  // oldest first
};

}  // namespace mig::api
