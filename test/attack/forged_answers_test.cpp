// The attacker owns the server, or an endpoint's key, and wants an investigator to believe an
// answer that the machine never gave; or gives an agent what is not its own.
#include "crypto/digest.h"
#include "roles/scheduler/intake.h"
#include "store/server_db.h"
#include "test/attack/victim.h"
#include "test/cli/agent_voice.h"
#include "trust/agent_tags.h"

namespace mig::attack {
namespace {

using cli::PartFault;
using cli::ResultCheck;

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");

TEST_CASE("attack: an agent answers in another one's name", "[attack]") {
  AgentVoice honest("web1"), rogue("web2");
  ResultCheck check(kAction, 1, std::vector{honest.Shown(), rogue.Shown()});
  ResultPart forged = honest.Next(kAction, true);
  forged.previous.clear();
  // On its own topic, on the other's, and with the server's help.
  const Envelope by_rogue = rogue.Sign(forged);
  CHECK(check.Check(rogue.id(), "", by_rogue).fault == PartFault::kOtherAgent);
  CHECK(check.Check(honest.id(), "", by_rogue).fault == PartFault::kBadSignature);
  const auto at_scheduler =
      scheduler::OpenMessage(topics::Result(honest.id()), EncodeEnvelope(by_rogue));
  REQUIRE(std::holds_alternative<scheduler::Sealed>(at_scheduler));
  const auto verdict = scheduler::VerifyMessage(std::get<scheduler::Sealed>(at_scheduler),
                                                honest.key().public_key());
  REQUIRE(std::holds_alternative<scheduler::Rejected>(verdict));
  CHECK(std::get<scheduler::Rejected>(verdict).flaw == scheduler::Flaw::kSignature);
}

TEST_CASE("attack: a captured server forges an answer", "[attack]") {
  AgentVoice agent("web1");
  const SecretKey servers = SecretKey::Generate();
  ResultCheck check(kAction, 1, std::vector{agent.Shown()});
  const Bytes payload = EncodeResultPart(agent.Next(kAction, true));
  CHECK(check.Check(agent.id(), "", Seal(kResultType, payload, servers)).fault ==
        PartFault::kBadSignature);
  // An answer that the agent gave to another action.
  AgentVoice same = std::move(agent);
  const ActionId other = *ActionId::FromBytes("fedcba9876543210");
  CHECK(check.Check(same.id(), "", same.Sign(same.Next(other, true))).fault ==
        PartFault::kOtherAction);
  // Half of an answer, as if it were all of it.
  CHECK_FALSE(check.Complete(same.id()));
}

TEST_CASE("attack: a server that mints certificates invents an agent", "[attack]") {
  // A certificate opens the relay; it signs no answer. Whoever shows a key of their own making
  // under an id is told by the id, which is the key's hash; a machine that nobody was shown is no
  // part of the answer.
  AgentVoice agent("web1"), invented("web1");
  ResultCheck check(kAction, 1, std::vector{agent.Shown()});
  const Envelope answer = invented.Sign(invented.Next(kAction, true));
  CHECK(check.Check(agent.id(), invented.key().public_key().View(), answer).fault);
  CHECK(check.Check(invented.id(), invented.key().public_key().View(), answer).fault ==
        PartFault::kNotShown);
  cli::ShownAgent lent = agent.Shown();
  lent.key = Bytes(invented.key().public_key().View());
  ResultCheck fooled(kAction, 1, std::vector{lent});
  ResultPart named = invented.Next(kAction, true);
  named.agent = agent.id();
  CHECK(fooled.Check(agent.id(), "", invented.Sign(named)).fault == PartFault::kWrongKey);
}

TEST_CASE("attack: a server gives an agent tags", "[attack]") {
  const Deployment deployment;
  const SecretKey servers = SecretKey::Generate();
  const Bytes mine = Sha256("the secret of this agent's token");
  Grant grant;
  grant.org = deployment.org;
  grant.token = mine;
  grant.tags = {{"operator", "security"}};
  grant.issued = grant.expires = deployment.now;
  const TrustedPolicy policy = deployment.Trusted();
  CHECK_FALSE(VerifyGrant(Seal(kGrantType, EncodeGrant(grant), servers), mine, policy));
  // One that people did sign, for another token.
  grant.token = Sha256("another token's secret");
  const Envelope others = Seal(kGrantType, EncodeGrant(grant), deployment.ann);
  CHECK_FALSE(VerifyGrant(others, mine, policy));
  const AgentId agent = *AgentId::FromBytes(Bytes(32, 'm'));
  CHECK(TagsOf(agent, &others, mine, policy).known.empty());
}

TEST_CASE("attack: an enrolment token is guessed by the time of its refusal", "[attack]") {
  // Nothing that arrives is compared with a secret: what is looked up is its SHA-256, and two
  // secrets that differ in their last bit have nothing in common there.
  const Bytes secret = RandomBytes(32);
  Bytes near = secret;
  near.back() = static_cast<char>(near.back() ^ 1);
  const Bytes first = Sha256(secret), second = Sha256(near);
  int same_bits = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto differ = static_cast<unsigned char>(first[i] ^ second[i]);
    same_bits += 8 - __builtin_popcount(differ);
  }
  CHECK(same_bits > 64);
  CHECK(same_bits < 192);
  TempFolder folder;
  auto db = store::ServerDb::Open(folder / "server.db");
  REQUIRE(db);
  const UtcTime now = *ParseRfc3339("2026-11-23T12:00:00Z");
  const auto use = [&](const Bytes& token) {
    return (*db)->WriteNow([&](store::ServerTx& tx) { return tx.UseToken(Sha256(token), now); });
  };
  REQUIRE((*db)->WriteNow([&](store::ServerTx& tx) {
    store::TokenRow row;
    row.hash = Sha256(secret);
    row.uses_left = 1;
    row.created = now;
    row.expires = now + hours(1);
    return tx.AddToken(row);
  }));
  CHECK_FALSE(use(near));
  CHECK(use(secret));
}

}  // namespace
}  // namespace mig::attack
