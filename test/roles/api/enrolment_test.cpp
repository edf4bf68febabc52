#include "roles/api/enrolment.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "proto/grant.h"
#include "roles/api/tokens.h"
#include "store/server_db.h"
#include "test/deployment.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::api;

namespace {

struct Enrolling {
  TempFolder folder;
  UtcTime now = *ParseRfc3339("2026-11-23T09:00:00Z");
  Deployment deployment;
  OrgId org = deployment.org;
  std::optional<Bytes> grant;  // that the last applicant got
  SecretKey agent = SecretKey::Generate();
  Bytes secret = Bytes(32, 's');
  EnrolRequest request{org, secret, Bytes(agent.public_key().View()), "csr", "host"};
  std::unique_ptr<store::ServerDb> db = *store::ServerDb::Open(folder / "server.db");

  Expected<Applicant> Check(const SecretKey& key) const {
    return CheckEnrolment(Seal(kEnrolType, EncodeEnrolRequest(request), key), org);
  }
  void AddToken(std::uint32_t uses) {
    store::TokenRow token;
    token.hash = Sha256(secret);
    token.uses = token.uses_left = uses;
    token.created = now;
    token.expires = now + std::chrono::hours(1);
    REQUIRE(db->WriteNow([&](store::ServerTx& tx) { return tx.AddToken(token); }));
  }
  Expected<void> Admit(const Applicant& applicant, UtcTime at) {
    const TrustedPolicy policy = deployment.Trusted();
    return db->WriteNow(
        [&](store::ServerTx& tx) { return AdmitEnrolment(tx, applicant, policy, at, &grant); });
  }

  Envelope GrantFor(BytesView token_secret, std::uint32_t uses,
                    std::initializer_list<const SecretKey*> keys) const {
    Grant made;
    made.org = org;
    made.token = Sha256(token_secret);
    made.tags = {{"operator", "it"}};
    made.uses = uses;
    made.issued = now;
    made.expires = now + std::chrono::hours(1);
    Envelope envelope{std::string(kGrantType), EncodeGrant(made), {}};
    for (const SecretKey* key : keys) AddSignature(envelope, *key);
    return envelope;
  }
  Expected<store::TokenRow> Offer(const Envelope& envelope) const {
    return CheckToken(envelope, "note", "ann", deployment.Trusted(), now);
  }
  void Store(const Envelope& envelope) {
    auto row = Offer(envelope);
    if (!row) FAIL(row.error().message());
    REQUIRE(db->WriteNow([&](store::ServerTx& tx) { return tx.AddToken(*row); }));
  }
  std::string Tags(const AgentId& id) {
    auto row = db->Read([&](store::ServerReader& reader) { return reader.FindAgent(id); });
    REQUIRE(row);
    REQUIRE(*row);
    return (*row)->tags;
  }
};

}  // namespace

TEST_CASE("enrolment: an agent signs for its own key, in this deployment", "[api]") {
  Enrolling enrolling;
  const auto applicant = enrolling.Check(enrolling.agent);
  REQUIRE(applicant);
  CHECK(applicant->agent == *AgentId::FromBytes(enrolling.agent.public_key().Fingerprint()));
  CHECK_FALSE(enrolling.Check(SecretKey::Generate()));  // somebody else's key in the request
  enrolling.request.org = OrgId();
  CHECK_FALSE(enrolling.Check(enrolling.agent));
}

TEST_CASE("enrolment: a token is good for its uses and its time", "[api]") {
  Enrolling enrolling;
  const auto first = *enrolling.Check(enrolling.agent);
  CHECK_FALSE(enrolling.Admit(first, enrolling.now));  // no such token
  enrolling.AddToken(1);
  CHECK_FALSE(enrolling.Admit(first, enrolling.now + std::chrono::hours(2)));
  REQUIRE(enrolling.Admit(first, enrolling.now));
  // The answer was lost: the same agent may ask again, another may not.
  CHECK(enrolling.Admit(first, enrolling.now));
  const SecretKey second = SecretKey::Generate();
  enrolling.request.key = Bytes(second.public_key().View());
  CHECK_FALSE(enrolling.Admit(*enrolling.Check(second), enrolling.now));
}

TEST_CASE("enrolment: the certificate names the agent, whatever the request says", "[api]") {
  Enrolling enrolling;
  const auto ca = MakeCa("agents", enrolling.now, std::chrono::hours(24 * 365));
  REQUIRE(ca);
  const auto key = MakeP256Key();
  REQUIRE(key);
  enrolling.request.csr = *MakeCertificateRequest(*key, "scheduler");
  const auto applicant = *enrolling.Check(enrolling.agent);
  const auto certificate = CertificateFor(*ca, applicant, std::chrono::hours(24), enrolling.now);
  REQUIRE(certificate);
  const auto name = PeerNameOfPem(*certificate);
  REQUIRE(name);
  CHECK(name->role == "agent");
  CHECK(name->id == applicant.agent.Text());
}

TEST_CASE("renewal: only for who is enrolled, once, and near our time", "[api]") {
  Enrolling enrolling;
  RenewRequest request{enrolling.org, Bytes(enrolling.agent.public_key().View()), "csr",
                       enrolling.now, Bytes(16, 'n')};
  const auto check = [&] {
    return CheckRenewal(Seal(kRenewType, EncodeRenewRequest(request), enrolling.agent),
                        enrolling.org, enrolling.now);
  };
  const auto admit = [&](const Applicant& applicant) {
    return enrolling.db->WriteNow(
        [&](store::ServerTx& tx) { return AdmitRenewal(tx, applicant, enrolling.now); });
  };
  REQUIRE(check());
  CHECK_FALSE(admit(*check()));  // not enrolled
  enrolling.AddToken(1);
  REQUIRE(enrolling.Admit(*enrolling.Check(enrolling.agent), enrolling.now));
  CHECK(admit(*check()));
  CHECK_FALSE(admit(*check()));  // replayed
  request.time -= std::chrono::hours(25);
  CHECK_FALSE(check());
}

TEST_CASE("enrolment: tags come with the grant, and only from it", "[api]") {
  Enrolling enrolling;
  enrolling.Store(enrolling.GrantFor(enrolling.secret, 2, {&enrolling.deployment.ann}));
  const auto applicant = *enrolling.Check(enrolling.agent);
  REQUIRE(enrolling.Admit(applicant, enrolling.now));
  REQUIRE(enrolling.grant);
  CHECK(DecodeEnvelope(*enrolling.grant)->payload_type == kGrantType);
  CHECK(enrolling.Tags(applicant.agent) == R"({"operator":"it"})");

  // Who signed it leaves: the tags go with the next policy, and come back with the one after.
  const auto refresh = [&] {
    const TrustedPolicy policy = enrolling.deployment.Trusted();
    REQUIRE(enrolling.db->WriteNow([&](store::ServerTx& tx) { return RefreshTags(tx, policy); }));
  };
  enrolling.deployment.policy.people[0].active = false;
  refresh();
  CHECK(enrolling.Tags(applicant.agent) == "{}");
  enrolling.deployment.policy.people[0].active = true;
  enrolling.deployment.policy.tags[applicant.agent] = {{"operator", "sec"}, {"rack", "r1"}};
  refresh();
  CHECK(enrolling.Tags(applicant.agent) == R"({"operator":"sec","rack":"r1"})");

  // The token lapses and is forgotten; what was granted is not.
  REQUIRE(enrolling.db->WriteNow([&](store::ServerTx& tx) {
    return tx.ForgetLapsed(enrolling.now + std::chrono::hours(24));
  }));
  refresh();
  CHECK(enrolling.Tags(applicant.agent) == R"({"operator":"sec","rack":"r1"})");
}

TEST_CASE("enrolment: a revoked token refuses at once, and who is enrolled stays", "[api]") {
  Enrolling enrolling;
  enrolling.Store(enrolling.GrantFor(enrolling.secret, 5, {&enrolling.deployment.ann}));
  const auto first = *enrolling.Check(enrolling.agent);
  REQUIRE(enrolling.Admit(first, enrolling.now));
  REQUIRE(enrolling.db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto revoked = tx.RevokeToken(Sha256(enrolling.secret), enrolling.now);
    if (!revoked) return revoked.error();
    CHECK(*revoked);
    return {};
  }));
  const SecretKey second = SecretKey::Generate();
  enrolling.request.key = Bytes(second.public_key().View());
  CHECK_FALSE(enrolling.Admit(*enrolling.Check(second), enrolling.now));
  CHECK(enrolling.Tags(first.agent) == R"({"operator":"it"})");
  CHECK(enrolling.Admit(first, enrolling.now));  // its first answer was lost
}

TEST_CASE("enrolment: uses are counted once each, whoever asks how often", "[api]") {
  Enrolling enrolling;
  enrolling.Store(enrolling.GrantFor(enrolling.secret, 3, {&enrolling.deployment.ann}));
  int admitted = 0;
  for (int i = 0; i < 6; ++i) {
    const SecretKey key = SecretKey::Generate();
    enrolling.request.key = Bytes(key.public_key().View());
    const auto applicant = *enrolling.Check(key);
    const bool good = bool(enrolling.Admit(applicant, enrolling.now));
    if (good) CHECK(enrolling.Admit(applicant, enrolling.now));
    admitted += good ? 1 : 0;
  }
  CHECK(admitted == 3);
}

TEST_CASE("enrolment: an agent that comes with another token takes a use and its tags", "[api]") {
  Enrolling enrolling;
  enrolling.AddToken(1);  // made at the server: no tags
  const auto first = *enrolling.Check(enrolling.agent);
  REQUIRE(enrolling.Admit(first, enrolling.now));
  CHECK_FALSE(enrolling.grant);
  CHECK(enrolling.Tags(first.agent) == "{}");
  enrolling.request.token = Bytes(32, 'b');
  const auto again = *enrolling.Check(enrolling.agent);
  CHECK_FALSE(enrolling.Admit(again, enrolling.now));  // not known here
  enrolling.Store(enrolling.GrantFor(Bytes(32, 'b'), 1, {&enrolling.deployment.ann}));
  REQUIRE(enrolling.Admit(again, enrolling.now));
  CHECK(enrolling.Tags(first.agent) == R"({"operator":"it"})");
}

TEST_CASE("tokens: where several people must sign, the token waits for them", "[api]") {
  Enrolling enrolling;
  enrolling.deployment.policy.enrolment = EnrolmentRule{2, {{"ann", 1}, {"bob", 1}}};
  const Envelope by_ann = enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.ann});
  const Envelope by_both_keys = enrolling.GrantFor(
      enrolling.secret, 1, {&enrolling.deployment.ann, &enrolling.deployment.ann_other});
  CHECK_FALSE(enrolling.Offer(by_ann)->ready);
  CHECK_FALSE(enrolling.Offer(by_both_keys)->ready);  // one person, whatever number of keys
  enrolling.Store(by_ann);
  const auto applicant = *enrolling.Check(enrolling.agent);
  CHECK_FALSE(enrolling.Admit(applicant, enrolling.now));

  const Envelope by_bob = enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.bob});
  const auto joined = JoinGrants(by_ann, by_bob);
  REQUIRE(joined);
  const auto offered = enrolling.Offer(*joined);
  REQUIRE(offered);
  CHECK(offered->ready);
  REQUIRE(enrolling.db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto kept = tx.SignToken(offered->hash, *offered->envelope, true);
    if (!kept) return kept.error();
    return {};
  }));
  CHECK(enrolling.Admit(applicant, enrolling.now));
  CHECK_FALSE(JoinGrants(by_ann, enrolling.GrantFor("another", 1, {&enrolling.deployment.bob})));
}

TEST_CASE(
    "tokens: a policy that asks for more people has open tokens wait, and one for fewer opens them",
    "[api]") {
  Enrolling enrolling;
  enrolling.deployment.policy.enrolment = EnrolmentRule{1, {{"ann", 1}, {"bob", 1}}};
  enrolling.Store(enrolling.GrantFor(enrolling.secret, 2, {&enrolling.deployment.ann}));
  const auto with_grant = *enrolling.Check(enrolling.agent);
  enrolling.secret = Bytes(32, 't');
  enrolling.AddToken(1);  // made at the server: there are no people to count
  const SecretKey other = SecretKey::Generate();
  enrolling.request = EnrolRequest{enrolling.org, enrolling.secret,
                                   Bytes(other.public_key().View()), "csr", "other"};
  const auto without = *enrolling.Check(other);
  const auto take = [&](std::uint32_t minimum) {
    enrolling.deployment.policy.enrolment->minimumweight = minimum;
    const TrustedPolicy policy = enrolling.deployment.Trusted();
    REQUIRE(enrolling.db->WriteNow([&](store::ServerTx& tx) { return RefreshTokens(tx, policy); }));
  };
  take(2);
  CHECK_FALSE(enrolling.Admit(with_grant, enrolling.now));
  CHECK(enrolling.Admit(without, enrolling.now));
  take(1);
  CHECK(enrolling.Admit(with_grant, enrolling.now));
}

TEST_CASE("tokens: a grant that nobody may give is refused", "[api]") {
  Enrolling enrolling;
  const auto refused = [&](const Envelope& envelope) { return !enrolling.Offer(envelope); };
  CHECK(refused(enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.eve})));
  CHECK(refused(enrolling.GrantFor(enrolling.secret, 1,
                                   {&enrolling.deployment.ann, &enrolling.deployment.eve})));
  Envelope changed = enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.ann});
  changed.payload[changed.payload.find("\"it\"") + 1] = 'o';
  CHECK(refused(changed));
  enrolling.deployment.policy.enrolment = EnrolmentRule{1, {{"bob", 1}}};
  CHECK(refused(enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.ann})));
  enrolling.deployment.policy.enrolment.reset();
  CHECK(refused(enrolling.GrantFor(enrolling.secret, 1, {&enrolling.deployment.bob})));
  Enrolling late;
  const Envelope old = late.GrantFor(late.secret, 1, {&late.deployment.ann});
  late.now += std::chrono::hours(2);
  CHECK(refused(old));
}

TEST_CASE("tokens: what the API shows of one says what became of it", "[api]") {
  Enrolling enrolling;
  const TrustedPolicy policy = enrolling.deployment.Trusted();
  store::TokenRow row =
      *enrolling.Offer(enrolling.GrantFor(enrolling.secret, 3, {&enrolling.deployment.ann}));
  const auto status = [&] {
    return std::string(ViewToken(row, policy, enrolling.now).at("status").as_string());
  };
  CHECK(status() == "open");
  CHECK(ViewToken(row, policy, enrolling.now).at("tags").at("operator").as_string() == "it");
  row.ready = false;
  CHECK(status() == "pending");
  row.uses_left = 0;
  CHECK(status() == "used up");
  row.expires = enrolling.now;
  CHECK(status() == "expired");
  row.revoked = enrolling.now;
  CHECK(status() == "revoked");
}
