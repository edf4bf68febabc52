#include "roles/api/enrolment.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "store/server_db.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::api;

namespace {

struct Enrolling {
  TempFolder folder;
  UtcTime now = *ParseRfc3339("2026-11-23T09:00:00Z");
  OrgId org = *OrgId::FromBytes(Bytes(32, 'o'));
  SecretKey agent = SecretKey::Generate();
  Bytes secret = Bytes(32, 's');
  EnrolRequest request{org, secret, Bytes(agent.public_key().View()), "csr", "host"};
  std::unique_ptr<store::ServerDb> db = *store::ServerDb::Open(folder / "server.db");

  Expected<Applicant> Check(const SecretKey& key) const {
    return CheckEnrolment(Seal(kEnrolType, EncodeEnrolRequest(request), key), org);
  }
  void AddToken(std::uint32_t uses) {
    REQUIRE(db->WriteNow([&](store::ServerTx& tx) {
      return tx.AddToken({Sha256(secret), uses, now, now + std::chrono::hours(1), ""});
    }));
  }
  Expected<void> Admit(const Applicant& applicant, UtcTime at) {
    return db->WriteNow([&](store::ServerTx& tx) { return AdmitEnrolment(tx, applicant, at); });
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
