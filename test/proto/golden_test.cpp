// Every golden file is read and says what it always said (test/golden/golden.h).
#include "test/golden/golden.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "crypto/key_file.h"
#include "crypto/merkle.h"
#include "crypto/public_key_line.h"
#include "proto/access.h"
#include "proto/action.h"
#include "proto/command.h"
#include "proto/freshness.h"
#include "proto/grant.h"
#include "proto/policy.h"
#include "proto/result.h"
#include "trust/ledger.h"

using namespace mig;

namespace {

constexpr const char* kActionText = "aaaqeayeaudaocajbifqydiob4";
constexpr const char* kOrgText = "oai42u42ovm4i2muxasra56o2bcqz7i5bvu4lrjrmnmetsod77jq";
constexpr const char* kAgentText = "yw4ub3j7mxbzdfs55auv7rosl5du7jl3jdjw5mik2nr3qu44dn4q";

PublicKey KeyOf(char seed) { return SecretKey::FromSeed(Bytes(32, seed))->public_key(); }
UtcTime Time(const char* text) { return *ParseRfc3339(text); }

}  // namespace

TEST_CASE("golden: the org is the digest of root version 1", "[golden]") {
  const Bytes payload = Golden("root.v1.json");
  CHECK(OrgId::FromBytes(Sha256(payload))->Text() == kOrgText);
  const auto root = DecodeRoot(payload);
  REQUIRE(root);
  CHECK(root->version == 1);
  CHECK(root->threshold == 1);
  REQUIRE(root->keys.size() == 1);
  CHECK(root->keys[0] == DocumentKey{"ed25519", Bytes(KeyOf(1).View())});
  CHECK(root->issued == Time("2026-11-01T08:00:00Z"));
}

TEST_CASE("golden: policy", "[golden]") {
  const auto policy = DecodePolicy(Golden("policy.v1.json"));
  REQUIRE(policy);
  CHECK(policy->org.Text() == kOrgText);
  CHECK(policy->version == 7);
  CHECK(policy->issued == Time("2026-11-02T08:00:00Z"));
  CHECK(policy->expires == Time("2027-01-31T08:00:00Z"));
  REQUIRE(policy->people.size() == 3);
  CHECK(policy->people[1].id == "bob.smith");
  CHECK(policy->people[1].name == "Bob Smith <bob@example.net>");
  CHECK(policy->people[1].active);
  CHECK(policy->people[1].keys[0].key == KeyOf(3).View());
  CHECK_FALSE(policy->people[2].active);
  REQUIRE(policy->modules.size() == 2);
  const ModuleRule& rule = policy->modules.at("file");
  CHECK(rule.minimumweight == 2);
  CHECK(rule.weights == std::map<std::string, std::uint32_t>{{"ann", 1}, {"bob.smith", 1}});
  CHECK(rule.constraints.paths == std::vector<std::string>{"/etc", "/var/log"});
  CHECK(rule.constraints.parameters.at("searches.*.options.decompress") ==
        std::vector<std::string>{"false"});
  CHECK(policy->modules.at("default").constraints.paths.empty());
  CHECK(policy->ceilings.seconds == 600);
  CHECK(policy->ceilings.rss == std::uint64_t{1} << 30);
  CHECK(policy->validity.at(Kind::kInvestigate) == std::chrono::hours(24));
  CHECK(policy->validity.at(Kind::kRespond) == std::chrono::hours(1));
  CHECK(policy->validity.count(Kind::kAdmin) == 0);
  CHECK(policy->revoked.size() == 1);
  CHECK(policy->require_full_sandbox);
}

TEST_CASE("golden: action", "[golden]") {
  const auto action = DecodeAction(Golden("action.v1.json"));
  REQUIRE(action);
  CHECK(action->id.Text() == kActionText);
  CHECK(action->org.Text() == kOrgText);
  CHECK(action->kind == Kind::kInvestigate);
  CHECK(action->name == "is passwd there");
  CHECK(action->target == "environment->>'os' = 'linux' AND name LIKE 'web%'");
  CHECK(action->validfrom == Time("2026-11-23T09:30:00Z"));
  CHECK(action->expireafter == Time("2026-11-23T09:35:00Z"));
  REQUIRE(action->operations.size() == 1);
  CHECK(action->operations[0].module == "file");
  CHECK(json::Write(action->operations[0].parameters) ==
        R"({"searches":{"s1":{"paths":["/etc"],"names":["^passwd$"],)"
        R"("options":{"maxdepth":5,"matchall":true}}}})");
  CHECK(action->limits == Limits{120, std::uint64_t{512} << 20, 50, 1'000'000, 1ull << 30});
  CHECK(action->policy == 7);
  CHECK_FALSE(action->stops);
  CHECK(action->description.author == "Ann Example");
  CHECK(action->description.revision == 3);
  CHECK(action->threat.family == "compliance");
  CHECK(action->reason == "Weekly check");
}

TEST_CASE("golden: a response for three machines, with an attachment", "[golden]") {
  const Bytes text = Golden("action-respond.v1.json");
  const auto action = DecodeAction(text);
  REQUIRE(action);
  CHECK(action->kind == Kind::kRespond);
  REQUIRE(action->audience);
  CHECK(action->audience->size == 3);
  REQUIRE(action->attachments.size() == 1);
  CHECK(action->attachments[0] == Attachment{"addresses.txt", Sha256("hello\n"), 6});
  CHECK(EncodeAction(*action) == text);

  // The golden agent is the second of them.
  const auto proof =
      DecodeAudienceProof(*json::ParseObject(Golden("audience-proof.v1.json")), "proof");
  REQUIRE(proof);
  CHECK(proof->index == 1);
  const auto agent = AgentId::Parse(kAgentText);
  CHECK(VerifyInclusion(agent->View(), proof->index, action->audience->size, proof->path,
                        action->audience->root));
}

TEST_CASE("golden: a policy with every field, its freshness and a grant", "[golden]") {
  const Bytes text = Golden("policy-full.v1.json");
  const auto policy = DecodePolicy(text);
  REQUIRE(policy);
  CHECK(policy->kinds.at(Kind::kRespond).minimumweight == 2);
  REQUIRE(policy->enrolment);
  CHECK(policy->enrolment->weights == std::map<std::string, std::uint32_t>{{"ann", 1}});
  REQUIRE(policy->freshness);
  CHECK(policy->freshness->keys == std::vector<DocumentKey>{{"ed25519", Bytes(KeyOf(6).View())}});
  CHECK(policy->freshness->age == std::chrono::hours(12));
  CHECK(policy->tags.at(*AgentId::Parse(kAgentText)) == Tags{{"operator", "it"}});
  CHECK(EncodePolicy(*policy) == text);

  const auto freshness = DecodeFreshness(Golden("freshness.v1.json"));
  REQUIRE(freshness);
  CHECK(freshness->policy == 8);
  CHECK(freshness->digest == Sha256(text));
  CHECK(EncodeFreshness(*freshness) == Golden("freshness.v1.json"));

  const auto grant = DecodeGrant(Golden("grant.v1.json"));
  REQUIRE(grant);
  CHECK(grant->token == Sha256(ReadEnrolToken(Golden("enrol-token.v1.txt"))->secret));
  CHECK(grant->tags == Tags{{"operator", "it"}, {"rack", "r1"}});
  CHECK(grant->uses == 50);
  CHECK(EncodeGrant(*grant) == Golden("grant.v1.json"));
}

TEST_CASE("golden: stop", "[golden]") {
  const auto stop = DecodeAction(Golden("stop.v1.json"));
  REQUIRE(stop);
  CHECK(stop->kind == Kind::kStop);
  CHECK(stop->operations.empty());
  CHECK(stop->stops->Text() == kActionText);
}

TEST_CASE("golden: envelope, with two good signatures over the golden action", "[golden]") {
  const auto envelope = DecodeEnvelope(Golden("envelope.v1.json"));
  REQUIRE(envelope);
  CHECK(envelope->payload_type == kActionType);
  CHECK(envelope->payload == Golden("action.v1.json"));
  REQUIRE(envelope->signatures.size() == 2);
  CHECK(SignedBy(*envelope, KeyOf(2)));
  CHECK(SignedBy(*envelope, KeyOf(3)));
  CHECK_FALSE(SignedBy(*envelope, KeyOf(4)));
}

TEST_CASE("golden: command carries the envelope", "[golden]") {
  const auto command = DecodeCommand(Golden("command.v1.json"));
  REQUIRE(command);
  CHECK(json::Write(command->action) == Golden("envelope.v1.json"));
}

TEST_CASE("golden: held", "[golden]") {
  const auto control = DecodeControl(Golden("held.v1.json"));
  REQUIRE(control);
  CHECK(std::holds_alternative<IdentityHeld>(*control));
}

TEST_CASE("golden: acknowledgement", "[golden]") {
  const auto control = DecodeControl(Golden("acknowledgement.v1.json"));
  REQUIRE(control);
  const auto& acknowledgement = std::get<Acknowledgement>(*control);
  CHECK(acknowledgement.action.Text() == kActionText);
  CHECK(acknowledgement.parts == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("golden: policy update brings the golden root and policy, signed", "[golden]") {
  const auto control = DecodeControl(Golden("policy-update.v1.json"));
  REQUIRE(control);
  const auto& update = std::get<PolicyUpdate>(*control);
  REQUIRE(update.roots.size() == 1);
  const auto root = EnvelopeFromJson(update.roots[0], "root");
  REQUIRE(root);
  CHECK(root->payload == Golden("root.v1.json"));
  CHECK(SignedBy(*root, KeyOf(1)));
  const auto policy = EnvelopeFromJson(update.policy, "policy");
  REQUIRE(policy);
  CHECK(policy->payload == Golden("policy.v1.json"));
  CHECK(SignedBy(*policy, KeyOf(1)));
}

TEST_CASE("golden: receipt", "[golden]") {
  const auto receipt = DecodeReceipt(Golden("receipt.v1.json"));
  REQUIRE(receipt);
  CHECK(receipt->agent.Text() == kAgentText);
  CHECK(receipt->action.Text() == kActionText);
  CHECK(receipt->state == "refused");
  CHECK(receipt->code == "not_targeted");
  CHECK(receipt->detail == "the target does not name this machine");
  CHECK(receipt->time == Time("2026-11-23T09:30:00.250Z"));
  CHECK(receipt->policy == 7);
  CHECK(receipt->ledger.length == 12);
  CHECK(receipt->ledger.head == Sha256("ledger"));
}

TEST_CASE("golden: result parts, the second chained to the first", "[golden]") {
  const auto first = DecodeResultPart(Golden("result.v1.json"));
  REQUIRE(first);
  CHECK(first->agent.Text() == kAgentText);
  CHECK(first->seq == 0);
  CHECK_FALSE(first->last);
  CHECK(first->previous.empty());
  REQUIRE(first->elements.size() == 2);
  CHECK(first->elements[0].label == "s1");
  CHECK(first->elements[0].value.at("file") == "/etc/passwd");
  CHECK(*json::ToName(first->elements[1].value.at("file")) == "/etc/caf\xe9");
  CHECK_FALSE(first->summary);
  CHECK_FALSE(first->status);

  const auto last = DecodeResultPart(Golden("result-last.v1.json"));
  REQUIRE(last);
  CHECK(last->seq == 1);
  CHECK(last->last);
  CHECK(last->previous == Sha256(Golden("result.v1.json")));
  REQUIRE(last->summary);
  CHECK(last->summary->status == CommandStatus::kSuccess);
  CHECK(last->summary->sandbox == "full");
  CHECK(last->summary->result.at("foundanything") == true);
  CHECK(last->status == CommandStatus::kSuccess);
  CHECK(last->ledger.length == 13);
}

TEST_CASE("golden: heartbeat", "[golden]") {
  const auto heartbeat = DecodeHeartbeat(Golden("heartbeat.v1.json"));
  REQUIRE(heartbeat);
  CHECK(heartbeat->agent.Text() == kAgentText);
  CHECK(heartbeat->name == "web1.example.net");
  CHECK(heartbeat->version == "0.1.0");
  CHECK(heartbeat->time == Time("2026-11-23T09:30:00Z"));
  CHECK(heartbeat->started == Time("2026-11-20T06:00:00Z"));
  CHECK(heartbeat->environment == Environment{"web1",
                                              "linux",
                                              "amd64",
                                              "Debian GNU/Linux 12 (bookworm)",
                                              "systemd",
                                              "6.1.0-18-amd64",
                                              {"192.0.2.7/24", "2001:db8::7/64"}});
  CHECK(heartbeat->tags.at("rack") ==
        "r\xfc"
        "ckwand");
  CHECK(heartbeat->modules == std::map<std::string, std::uint32_t>{{"file", 1}, {"ping", 1}});
  CHECK(heartbeat->formats.at("action") == 1);
  CHECK(heartbeat->policy == 7);
  CHECK(heartbeat->sandbox == "full");
  CHECK(heartbeat->boot == "mfrggzdfmztwq2lk");
  CHECK(heartbeat->ledger.length == 12);
}

TEST_CASE("golden: presence", "[golden]") {
  const auto presence = DecodePresence(Golden("presence.v1.json"));
  REQUIRE(presence);
  CHECK(presence->agent.Text() == kAgentText);
  CHECK(presence->on);
  CHECK(presence->time == Time("2026-11-23T09:30:00Z"));
  CHECK(presence->boot == "mfrggzdfmztwq2lk");
}

TEST_CASE("golden: session, enrolment, renewal, and what they answer", "[golden]") {
  const auto session = DecodeSessionRequest(Golden("session.v1.json"));
  REQUIRE(session);
  CHECK(session->key == KeyOf(5).View());
  CHECK(session->nonce == Bytes(16, 'n'));
  const auto enrol = DecodeEnrolRequest(Golden("enrol.v1.json"));
  REQUIRE(enrol);
  CHECK(enrol->key == KeyOf(4).View());
  CHECK(enrol->token == Bytes(32, 't'));
  CHECK(enrol->csr.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  const auto renew = DecodeRenewRequest(Golden("renew.v1.json"));
  REQUIRE(renew);
  CHECK(renew->nonce == Bytes(16, 'r'));
  const auto answer = DecodeEnrolAnswer(Golden("enrol-answer.v1.json"));
  REQUIRE(answer);
  CHECK(answer->certificate.starts_with("-----BEGIN CERTIFICATE-----\n"));
  CHECK(answer->roots.size() == 1);
  const auto token = ReadEnrolToken(Golden("enrol-token.v1.txt"));
  REQUIRE(token);
  CHECK(token->api == "https://mig.example.net:8443");
  CHECK(token->pin == Sha256("pin"));
  CHECK(token->secret == Bytes(32, 't'));
}

TEST_CASE("golden: key files and the public line", "[golden]") {
  const auto sealed = ReadKeyFile(Golden("key-file.v1.key"), "correct horse battery staple");
  REQUIRE(sealed);
  CHECK(sealed->name == "Ann Example <ann@example.net>");
  CHECK(sealed->created == Time("2026-11-01T08:00:00Z"));
  CHECK(sealed->secret.Seed() == Bytes(32, 2));
  const auto clear = ReadKeyFile(Golden("key-file-clear.v1.key"), "");
  REQUIRE(clear);
  CHECK(clear->secret.Seed() == Bytes(32, 2));
  const auto line = ReadPublicLine(Golden("public-line.v1.txt"));
  REQUIRE(line);
  CHECK(line->key == KeyOf(2).View());
  CHECK(line->name == "Ann Example <ann@example.net>");
}

TEST_CASE("golden: ledger entry", "[golden]") {
  const auto entry = ReadLedgerText(Golden("ledger-entry.v1.json"));
  REQUIRE(entry);
  CHECK(entry->number == 12);
  CHECK(entry->event == "accepted");
  CHECK(entry->previous == Sha256("entry 11"));
  CHECK(LedgerText(*entry) == Golden("ledger-entry.v1.json"));
}

TEST_CASE("golden: no file is changed, and none is left out of these tests", "[golden]") {
  // SHA-256 over "name NUL content" of every file in the order of names: a new file changes it, and
  // whoever adds one writes the new value here. An existing file that changes is a broken promise.
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(MIG_SOURCE_DIR "/test/golden")) {
    const std::string name = file.path().filename().string();
    if (name.find(".v1.") != std::string::npos) names.insert(name);
  }
  Digest digest(DigestKind::kSha256);
  for (const std::string& name : names) {
    digest.Update(name);
    digest.Update(BytesView("\0", 1));
    digest.Update(Golden(name));
  }
  CHECK(names.size() == 28);
  CHECK(EncodeHex(digest.Finish()) ==
        "4aedbeaad281c5aa7fbf2620b3cdbb47cd380517503146f602a481695b38bdda");
}
