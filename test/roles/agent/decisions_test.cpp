// The small decisions of the agent: what runs next, what may run again, what the ledger notes.
#include <catch2/catch.hpp>

#include "crypto/certificate.h"
#include "roles/agent/certificate_plan.h"
#include "roles/agent/deployment_facts.h"
#include "roles/agent/refusal_log.h"
#include "roles/agent/resume.h"
#include "roles/agent/run_queue.h"
#include "test/deployment.h"

namespace mig::agent {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const UtcTime kNow = TimeAt("2026-11-23T12:00:00Z");

ActionId IdNumber(int number) {
  return *ActionId::FromBytes(std::string(15, 'i') + static_cast<char>(number));
}

// ---- run_queue.h

TEST_CASE("run queue: two run, the others wait in their order", "[agent]") {
  RunQueue queue;
  for (int i = 0; i < 4; ++i) queue.Add(IdNumber(i));
  CHECK(queue.StartNext() == IdNumber(0));
  CHECK(queue.StartNext() == IdNumber(1));
  CHECK_FALSE(queue.StartNext());
  CHECK(queue.Ended(IdNumber(1)));
  CHECK_FALSE(queue.Ended(IdNumber(1)));
  CHECK(queue.StartNext() == IdNumber(2));
  CHECK(queue.IsRunning(IdNumber(0)));
  CHECK_FALSE(queue.IsRunning(IdNumber(3)));
}

TEST_CASE("run queue: thirty-two wait, then it is busy", "[agent]") {
  RunQueue queue;
  for (int i = 0; i < 2; ++i) {
    queue.Add(IdNumber(i));
    queue.StartNext();
  }
  for (int i = 2; i < 34; ++i) {
    CHECK(queue.HasRoom());
    queue.Add(IdNumber(i));
  }
  CHECK_FALSE(queue.HasRoom());
  CHECK(queue.queued() == 32);
  CHECK(queue.Remove(IdNumber(20)));
  CHECK_FALSE(queue.Remove(IdNumber(20)));
  CHECK_FALSE(queue.Remove(IdNumber(0)));  // it runs
  CHECK(queue.HasRoom());
}

// ---- resume.h

store::RememberedAction Cut(store::RunState state, Kind kind = Kind::kInvestigate,
                            std::uint32_t attempts = 1) {
  store::RememberedAction action;
  action.kind = kind;
  action.state = state;
  action.attempts = state == store::RunState::kReceived ? 0 : attempts;
  action.expireafter = kNow + minutes(5);
  return action;
}

TEST_CASE("resume: what never started runs, within its time", "[agent]") {
  const auto received = Cut(store::RunState::kReceived);
  CHECK(DecideResume(received, {}, false, kNow) == Resume::kRun);
  CHECK(DecideResume(received, {}, false, received.expireafter) == Resume::kExpired);
  CHECK(DecideResume(Cut(store::RunState::kReceived, Kind::kRespond), {}, false, kNow) ==
        Resume::kRun);
}

TEST_CASE("resume: an investigation runs again once", "[agent]") {
  CHECK(DecideResume(Cut(store::RunState::kStarted), {}, false, kNow) == Resume::kRun);
  CHECK(DecideResume(Cut(store::RunState::kStarted, Kind::kInvestigate, 2), {}, false, kNow) ==
        Resume::kInterrupted);
  CHECK(DecideResume(Cut(store::RunState::kStarted), {}, false, kNow + minutes(5)) ==
        Resume::kInterrupted);
}

TEST_CASE("resume: an operation whose parts may have been delivered is not run again", "[agent]") {
  store::PartsProgress progress;
  progress.operations_ended = 1;  // done, and what it said stays
  CHECK(DecideResume(Cut(store::RunState::kStarted), progress, false, kNow) == Resume::kRun);
  progress.open_parts = 1;
  CHECK(DecideResume(Cut(store::RunState::kStarted), progress, false, kNow) ==
        Resume::kInterrupted);
}

TEST_CASE("resume: a response that was cut off never runs again", "[agent]") {
  for (const Kind kind : {Kind::kRespond, Kind::kAdmin}) {
    CHECK(DecideResume(Cut(store::RunState::kStarted, kind), {}, false, kNow) ==
          Resume::kInterrupted);
  }
}

TEST_CASE("resume: a stop counts before all else", "[agent]") {
  for (const auto state : {store::RunState::kReceived, store::RunState::kStarted}) {
    CHECK(DecideResume(Cut(state), {}, true, kNow) == Resume::kStopped);
    CHECK(DecideResume(Cut(state), {}, true, kNow + hours(1)) == Resume::kStopped);
  }
}

// ---- refusal_log.h

TEST_CASE("refusal log: the same refusal is noted once, and counted", "[agent]") {
  RefusalLog log;
  CHECK(log.Note("a", "expired", kNow) == 0u);
  CHECK_FALSE(log.Note("a", "expired", kNow));
  CHECK_FALSE(log.Note("a", "expired", kNow + hours(1)));
  CHECK(log.Note("a", "not_targeted", kNow) == 2u);
  CHECK(log.Note("b", "expired", kNow) == 0u);
}

TEST_CASE("refusal log: a flood of forged commands is noted at a bounded rate", "[agent]") {
  RefusalLog log;
  std::uint32_t noted = 0;
  for (int i = 0; i < 1000; ++i) {
    if (log.Note("d" + std::to_string(i), "bad_signature", kNow)) ++noted;
  }
  CHECK(noted == RefusalLog::kBurst);
  CHECK(log.Note("later", "bad_signature", kNow + minutes(1)) == 1000 - RefusalLog::kBurst);
  CHECK_FALSE(log.Note("at once", "bad_signature", kNow + minutes(1)));
  // A clock that is set back does not stop it for good.
  CHECK_FALSE(log.Note("back", "bad_signature", kNow - hours(5)));
  CHECK(log.Note("back and on", "bad_signature", kNow - hours(5) + minutes(1)) == 2u);
}

// ---- certificate_plan.h

TEST_CASE("certificate plan: enrol first, renew at two thirds and after", "[agent]") {
  CHECK(PlanCertificate(std::nullopt, false, kNow).step == CertificatePlan::Step::kEnrol);
  CHECK_FALSE(PlanCertificate(std::nullopt, false, kNow).at);
  // One that was lost or spoilt: the API knows the key.
  CHECK(PlanCertificate(std::nullopt, true, kNow).step == CertificatePlan::Step::kRenew);

  const CertificateLife life{kNow, kNow + hours(90)};
  auto plan = PlanCertificate(life, true, kNow + hours(59));
  CHECK(plan.step == CertificatePlan::Step::kRenew);
  CHECK(plan.at == kNow + hours(60));
  CHECK_FALSE(PlanCertificate(life, true, kNow + hours(60)).at);
  plan = PlanCertificate(life, true, kNow + hours(500));
  CHECK(plan.step == CertificatePlan::Step::kRenew);
  CHECK_FALSE(plan.at);
}

TEST_CASE("certificate plan: somebody else's certificate is none", "[agent]") {
  const KeyPairPem ca = *MakeCa("agents", kNow, hours(1000));
  const AgentId us = *AgentId::FromBytes(Bytes(32, 'u'));
  const auto issue = [&](std::string role, const AgentId& id) {
    LeafRequest request;
    request.name = {std::move(role), id.Text()};
    request.validity = hours(90);
    return *IssueLeaf(ca, request, kNow);
  };
  const KeyPairPem ours = issue("agent", us);
  const auto life = CheckCertificate(ours.certificate, ours.key, us);
  REQUIRE(life);
  CHECK(life->until == kNow + hours(90));
  CHECK(life->from == kNow - minutes(5));
  CHECK_FALSE(CheckCertificate(ours.certificate, issue("agent", us).key, us));
  const KeyPairPem theirs = issue("agent", AgentId());
  CHECK_FALSE(CheckCertificate(theirs.certificate, theirs.key, us));
  const KeyPairPem relay = issue("relay", us);
  CHECK_FALSE(CheckCertificate(relay.certificate, relay.key, us));
  CHECK_FALSE(CheckCertificate("", ours.key, us));
}

// ---- deployment_facts.h

TEST_CASE("deployment: token, configuration and record must agree on org", "[agent]") {
  AgentConfig config;
  EnrolToken token;
  token.api = "https://token:1";
  token.pin = Bytes(32, 'p');
  token.org = *OrgId::FromBytes(Bytes(32, 'o'));
  const OrgId other = *OrgId::FromBytes(Bytes(32, 'x'));

  CHECK_FALSE(ResolveDeployment(config, std::nullopt, std::nullopt));
  auto facts = ResolveDeployment(config, token, std::nullopt);
  REQUIRE(facts);
  CHECK(facts->org == token.org);
  CHECK(facts->api == "https://token:1");

  const DeploymentFacts recorded = *facts;
  CHECK(ResolveDeployment(config, std::nullopt, recorded)->api == "https://token:1");
  config.api = "https://config:2";
  CHECK(ResolveDeployment(config, token, recorded)->api == "https://config:2");
  config.org = other;
  CHECK_FALSE(ResolveDeployment(config, token, std::nullopt));
  CHECK_FALSE(ResolveDeployment(config, std::nullopt, recorded));
  config.org.reset();
  token.org = other;
  CHECK_FALSE(ResolveDeployment(config, token, recorded));
}

TEST_CASE("deployment: an org without an API is not enough", "[agent]") {
  AgentConfig config;
  config.org = *OrgId::FromBytes(Bytes(32, 'o'));
  CHECK_FALSE(ResolveDeployment(config, std::nullopt, std::nullopt));
}

TEST_CASE("deployment: the record reads back as it was written", "[agent]") {
  const DeploymentFacts facts{*OrgId::FromBytes(Bytes(32, 'o')), "https://a:1"};
  const auto read = ReadDeploymentFacts(WriteDeploymentFacts(facts));
  REQUIRE(read);
  CHECK(read->org == facts.org);
  CHECK(read->api == facts.api);
  CHECK_FALSE(ReadDeploymentFacts("{}"));
}

}  // namespace
}  // namespace mig::agent
