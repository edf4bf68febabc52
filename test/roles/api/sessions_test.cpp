#include "roles/api/sessions.h"

#include <catch2/catch.hpp>

#include "proto/access.h"
#include "test/deployment.h"

using namespace mig;
using namespace mig::api;

namespace {

struct Asking {
  Deployment deployment;
  UtcTime now = deployment.now;
  SecretKey session_key = SecretKey::Generate();
  SessionRequest request{deployment.org, Bytes(session_key.public_key().View()), now,
                         now + std::chrono::hours(8), Bytes(16, 'n')};

  Envelope Sealed(const SecretKey& key) const {
    return Seal(kSessionType, EncodeSessionRequest(request), key);
  }
  Expected<store::SessionRow> Check(const SecretKey& key) const {
    const TrustedPolicy policy = deployment.Trusted();
    return CheckSession(Sealed(key), policy, now);
  }
};

}  // namespace

TEST_CASE("sessions: an investigator's key opens one, a stranger's does not", "[api]") {
  Asking asking;
  const auto session = asking.Check(asking.deployment.ann);
  REQUIRE(session);
  CHECK(session->person == "ann");
  CHECK(session->id == *KeyId::FromBytes(asking.session_key.public_key().Fingerprint()));
  CHECK(asking.Check(SecretKey::Generate()).error().code() == Errc::kDenied);
}

TEST_CASE("sessions: signed by two people it belongs to nobody", "[api]") {
  Asking asking;
  Envelope both = asking.Sealed(asking.deployment.ann);
  AddSignature(both, asking.deployment.bob);
  const TrustedPolicy policy = asking.deployment.Trusted();
  CHECK(CheckSession(both, policy, asking.now).error().code() == Errc::kDenied);
}

TEST_CASE("sessions: an action's signature does not open one", "[api]") {
  Asking asking;
  const TrustedPolicy policy = asking.deployment.Trusted();
  Envelope other = Seal("application/vnd.mig.action.v1+json", EncodeSessionRequest(asking.request),
                        asking.deployment.ann);
  CHECK_FALSE(CheckSession(other, policy, asking.now));
  other.payload_type = kSessionType;  // the signature covers the type
  CHECK_FALSE(CheckSession(other, policy, asking.now));
}

TEST_CASE("sessions: for another deployment, past or far ahead, none is opened", "[api]") {
  Asking asking;
  asking.request.org = OrgId();
  CHECK_FALSE(asking.Check(asking.deployment.ann));
  asking.request.org = asking.deployment.org;
  asking.now = asking.request.expireafter;
  CHECK(asking.Check(asking.deployment.ann).error().code() == Errc::kExpired);
  asking.now = asking.request.validfrom - std::chrono::minutes(6);
  CHECK_FALSE(asking.Check(asking.deployment.ann));
}

TEST_CASE("requests: each is served once, while it is fresh, to who is active", "[api]") {
  Asking asking;
  const auto session = *asking.Check(asking.deployment.ann);
  const TrustedPolicy policy = asking.deployment.Trusted();
  const UtcTime now = asking.now + std::chrono::minutes(1);
  RequestGate gate(asking.now, 3);

  CHECK(*gate.Admit(session, "a", now, policy, now) == "ann");
  CHECK_FALSE(gate.Admit(session, "a", now, policy, now));  // replayed
  CHECK_FALSE(gate.Admit(session, "", now, policy, now));
  CHECK_FALSE(gate.Admit(session, "b", asking.now - std::chrono::minutes(1), policy, now));
  CHECK_FALSE(gate.Admit(session, "c", now + std::chrono::minutes(6), policy, now));
  CHECK_FALSE(gate.Admit(session, "d", now, policy, session.expireafter));

  CHECK(gate.Admit(session, "e", now, policy, now));
  CHECK(gate.Admit(session, "f", now, policy, now));
  CHECK(gate.Admit(session, "g", now, policy, now).error().code() == Errc::kFull);
  // Old nonces make room, and their requests are too old to come again.
  const UtcTime later = now + 2 * kMaxSkew;
  CHECK(gate.Admit(session, "g", later, policy, later));
  CHECK_FALSE(gate.Admit(session, "a", now, policy, later));

  Deployment changed;
  changed.policy.people.at(0).active = false;
  auto other_session = session;
  other_session.person = changed.policy.people.at(0).id;
  const TrustedPolicy without = changed.Trusted();
  CHECK_FALSE(gate.Admit(other_session, "h", later, without, later));
}
