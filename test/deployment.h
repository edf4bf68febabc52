// A deployment made for a test: root keys, people with keys, a policy, and actions signed by them.
// Everything can be changed before it is signed, so that a test says only what is wrong with it.
#pragma once

#include <catch2/catch.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "proto/action.h"
#include "proto/freshness.h"
#include "proto/policy.h"
#include "trust/policy_chain.h"

namespace mig {

inline UtcTime TimeAt(std::string_view text) { return ParseRfc3339(text).value(); }

struct Deployment {
  SecretKey root_key = SecretKey::Generate();
  // ann and bob are investigators, ann has a second key; eve is known to nobody.
  SecretKey ann = SecretKey::Generate();
  SecretKey ann_other = SecretKey::Generate();
  SecretKey bob = SecretKey::Generate();
  SecretKey eve = SecretKey::Generate();
  SecretKey clock_key = SecretKey::Generate();  // signs freshness statements

  UtcTime now = TimeAt("2026-11-23T12:00:00Z");
  Root root;
  Envelope root_envelope;
  OrgId org;
  Policy policy;

  Deployment() {
    root.keys = {KeyOf(root_key)};
    root.issued = now - std::chrono::hours(24);
    root_envelope = Seal(kRootType, EncodeRoot(root), root_key);
    org = OrgOf(root_envelope);

    policy.org = org;
    policy.version = 3;
    policy.issued = now - std::chrono::hours(1);
    policy.expires = now + std::chrono::hours(24 * 90);
    policy.people = {
        Person{"ann", "Ann <ann@example.org>", true, {KeyOf(ann), KeyOf(ann_other)}},
        Person{"bob", "Bob <bob@example.org>", true, {KeyOf(bob)}},
    };
    policy.modules["default"] = ModuleRule{1, {{"ann", 1}, {"bob", 1}}, {}};
    policy.validity[Kind::kInvestigate] = std::chrono::hours(24);
    policy.validity[Kind::kRespond] = std::chrono::hours(1);
    policy.freshness = FreshnessRule{{KeyOf(clock_key)}};
    policy.enrolment = EnrolmentRule{1, {{"ann", 1}, {"bob", 1}}};
  }

  static DocumentKey KeyOf(const SecretKey& key) {
    return DocumentKey{"ed25519", Bytes(key.public_key().View())};
  }
  static KeyId IdOf(const SecretKey& key) {
    return KeyId::FromBytes(key.public_key().Fingerprint()).value();
  }

  Envelope PolicyEnvelope() const { return Seal(kPolicyType, EncodePolicy(policy), root_key); }

  TrustedPolicy Trusted() const {
    auto trusted = VerifyPolicyChain(org, {root_envelope}, PolicyEnvelope());
    if (!trusted) FAIL(trusted.error().message());
    return std::move(*trusted);
  }

  // As of that time, about the policy as it is now.
  Freshness FreshnessAt(UtcTime time) const {
    return Freshness{org, policy.version, Sha256(PolicyEnvelope().payload), time};
  }
  Envelope SignedFreshness(UtcTime time) const {
    return Seal(kFreshnessType, EncodeFreshness(FreshnessAt(time)), clock_key);
  }

  // One that an agent named web1 accepts, when ann signs it and the module is there.
  Action ActionFor(std::string module = "example") const {
    Action action;
    action.id = ActionId::FromBytes(RandomBytes(ActionId::kBytes)).value();
    action.org = org;
    action.name = "a test";
    action.target = "name = 'web1'";
    action.validfrom = now - std::chrono::minutes(1);
    action.expireafter = now + std::chrono::minutes(5);
    action.operations = {Operation{std::move(module), json::object{}}};
    action.policy = policy.version;
    return action;
  }

  Action StopFor(const ActionId& stopped) const {
    Action stop = ActionFor();
    stop.kind = Kind::kStop;
    stop.operations.clear();
    stop.stops = stopped;
    stop.target = "all";
    return stop;
  }

  static Envelope Sign(const Action& action, std::initializer_list<const SecretKey*> keys) {
    Envelope envelope{std::string(kActionType), EncodeAction(action), {}};
    for (const SecretKey* key : keys) AddSignature(envelope, *key);
    return envelope;
  }
};

}  // namespace mig
