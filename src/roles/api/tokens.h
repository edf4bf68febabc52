// Enrolment tokens as people make them at the API: the grant is checked here, and the store keeps
// the hash of a secret that this server has never seen. Decisions only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "store/server_tx.h"
#include "trust/agent_tags.h"
#include "trust/policy_chain.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::api {

inline constexpr std::size_t kMaxTokenNote = 256;

// The token of a grant that people signed; not ready when their weight is too little. `person` may
// be empty: somebody at the server's own console. Errors: kDenied: forged, signed by nobody whom
// the policy lets, for another deployment, over already; kMalformed, kUnsupported, kInvalid.
Expected<store::TokenRow> CheckToken(const Envelope& envelope, std::string note, std::string person,
                                     const TrustedPolicy& policy, UtcTime now);

// The signatures of both over one grant, each key once. Error: kInvalid when they are of two
// grants.
Expected<Envelope> JoinGrants(const Envelope& stored, const Envelope& more);

// What the API shows of a token.
json::object ViewToken(const store::TokenRow& token, const TrustedPolicy& policy, UtcTime now);

// Makes ready the tokens whose grants enough people have signed by this policy, and has the others
// wait: also one that was ready while fewer were asked for, or before a signer's key was revoked.
// Those that the server made stay as they are.
Expected<void> RefreshTokens(store::ServerTx& tx, const TrustedPolicy& policy);

// Makes the tags of all agents, or of one, those that count by this policy.
Expected<void> RefreshTags(store::ServerTx& tx, const TrustedPolicy& policy);
Expected<void> RefreshTagsOf(store::ServerTx& tx, const AgentId& agent,
                             const TrustedPolicy& policy);

}  // namespace mig::api
