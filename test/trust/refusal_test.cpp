#include "trust/refusal.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace mig {
namespace {

constexpr int kRefusals = static_cast<int>(Refusal::kLedger) + 1;

TEST_CASE("refusal: every code is its own, in lower case and underscores", "[trust]") {
  std::set<std::string> seen;
  for (int i = 0; i < kRefusals; ++i) {
    const std::string code(RefusalCode(static_cast<Refusal>(i)));
    CHECK(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    CHECK(seen.insert(code).second);
    CHECK(RefusalText(static_cast<Refusal>(i)).ends_with('.'));
  }
}

// They stand on the wire and in ledgers that agents keep for years.
TEST_CASE("refusal: the codes of the first release stay", "[trust]") {
  CHECK(RefusalCode(Refusal::kMalformed) == "malformed");
  CHECK(RefusalCode(Refusal::kWrongOrg) == "wrong_org");
  CHECK(RefusalCode(Refusal::kNoPolicy) == "no_policy");
  CHECK(RefusalCode(Refusal::kPolicyTooOld) == "policy_too_old");
  CHECK(RefusalCode(Refusal::kNotFresh) == "not_fresh");
  CHECK(RefusalCode(Refusal::kBadSignature) == "bad_signature");
  CHECK(RefusalCode(Refusal::kUnknownSigner) == "unknown_signer");
  CHECK(RefusalCode(Refusal::kRevokedSigner) == "revoked_signer");
  CHECK(RefusalCode(Refusal::kUnsupported) == "unsupported");
  CHECK(RefusalCode(Refusal::kWrongKind) == "wrong_kind");
  CHECK(RefusalCode(Refusal::kTooLittleWeight) == "too_little_weight");
  CHECK(RefusalCode(Refusal::kConstraint) == "constraint");
  CHECK(RefusalCode(Refusal::kBadParameters) == "bad_parameters");
  CHECK(RefusalCode(Refusal::kNotYetValid) == "not_yet_valid");
  CHECK(RefusalCode(Refusal::kExpired) == "expired");
  CHECK(RefusalCode(Refusal::kValidityTooLong) == "validity_too_long");
  CHECK(RefusalCode(Refusal::kIdReused) == "id_reused");
  CHECK(RefusalCode(Refusal::kStopped) == "stopped");
  CHECK(RefusalCode(Refusal::kNotTargeted) == "not_targeted");
  CHECK(RefusalCode(Refusal::kNotInAudience) == "not_in_audience");
  CHECK(RefusalCode(Refusal::kLimits) == "limits");
  CHECK(RefusalCode(Refusal::kSandbox) == "sandbox");
  CHECK(RefusalCode(Refusal::kLedger) == "ledger");
}

}  // namespace
}  // namespace mig
