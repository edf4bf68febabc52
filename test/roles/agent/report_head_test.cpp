#include "roles/agent/report_head.h"

#include "roles/agent/policy_keeper.h"
#include "test/deployment.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::agent;
using std::chrono::hours;

namespace {

struct Owner {
  Deployment deployment;
  TempFolder folder;
  std::unique_ptr<store::AgentDb> db = store::AgentDb::Open(folder / "agent.db").value();

  Owner() { deployment.policy.freshness.reset(); }
  void Take() {
    auto keeper = PolicyKeeper::Load(deployment.org, *db).value();
    REQUIRE(keeper.Offer(
        {{EnvelopeToJson(deployment.root_envelope)}, EnvelopeToJson(deployment.PolicyEnvelope())},
        deployment.now));
  }
  ReportHead At(UtcTime now) const {
    auto state = store::ReadTrust(folder / "agent.db");
    REQUIRE(state);
    return HeadOf(deployment.org, *state, now);
  }
};

bool Says(const ReportHead& head, std::string_view words) {
  return head.text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("report head: the owner reads which policy holds and until when", "[agent]") {
  Owner owner;
  CHECK(Says(owner.At(owner.deployment.now), "holds no policy yet"));
  owner.Take();
  const ReportHead head = owner.At(owner.deployment.now);
  CHECK(Says(head, "policy version " + std::to_string(owner.deployment.policy.version)));
  CHECK(Says(head, FormatRfc3339(owner.deployment.policy.expires)));
  CHECK_FALSE(Says(head, "expires in"));
  CHECK(json::Write(head.facts).find("\"warnings\":[]") != std::string::npos);
}

TEST_CASE("report head: a policy that ends soon is said in words and for programs", "[agent]") {
  Owner owner;
  owner.Take();
  const ReportHead soon = owner.At(owner.deployment.policy.expires - hours(24));
  CHECK(Says(soon, "WARNING: policy version"));
  CHECK(json::Write(soon.facts).find("\"urgent\":true") != std::string::npos);
  CHECK(Says(owner.At(owner.deployment.policy.expires - hours(10 * 24)), "Note: policy version"));
}

TEST_CASE("report head: a clock that was set back hides no expiry", "[agent]") {
  Owner owner;
  owner.Take();
  auto state = store::ReadTrust(owner.folder / "agent.db").value();
  state.time_floor = owner.deployment.policy.expires + hours(1);
  CHECK(Says(HeadOf(owner.deployment.org, state, owner.deployment.now), "expired"));
}

TEST_CASE("report head: a stored policy of another deployment is named as one that counts not",
          "[agent]") {
  Owner owner;
  owner.Take();
  const Deployment other;
  auto state = store::ReadTrust(owner.folder / "agent.db").value();
  const ReportHead head = HeadOf(other.org, state, owner.deployment.now);
  CHECK(Says(head, "DOES NOT VERIFY"));
  CHECK(head.facts.is_null());
}

TEST_CASE("report head: without a deployment there is nothing to go by", "[agent]") {
  Owner owner;
  CHECK(Says(HeadOf({}, {}, owner.deployment.now), "has not enrolled"));
}
