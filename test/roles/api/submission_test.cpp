#include "roles/api/submission.h"

#include <catch2/catch.hpp>

#include "crypto/merkle.h"
#include "modules/module.h"
#include "test/deployment.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::api;

namespace {

// A module that looks, with one parameter.
const Parameter kParameters[] = {{.flag = "word", .field = "word", .help = "a word"}};
const Module kLooking = {.name = "looking", .summary = "for this test", .parameters = kParameters};
const bool kRegistered = (RegisterTestModule(kLooking), true);

struct Posting {
  Deployment deployment;
  Action action = deployment.ActionFor();

  Submission Post(const SecretKey& key) const {
    const TrustedPolicy policy = deployment.Trusted();
    return CheckSubmission(EncodeEnvelope(Seal(kActionType, EncodeAction(action), key)), policy,
                           deployment.now);
  }
  std::string CodeOf(const Submission& submission) const {
    if (!submission.refused) return "accepted";
    return std::string(
        json::ParseObject(submission.refused->body)->at("error").at("code").as_string());
  }
};

}  // namespace

TEST_CASE("submission: a good action is stored as it was posted", "[api]") {
  Posting posting;
  const Submission submission = posting.Post(posting.deployment.ann);
  REQUIRE(posting.CodeOf(submission) == "accepted");
  CHECK(submission.row.id == posting.action.id);
  CHECK(submission.people == std::vector<std::string>{"ann"});
  CHECK(submission.row.signatures.size() == 1);
  const Answer answer = SubmittedAnswer(submission, ActionStatus::kScheduled);
  CHECK(answer.status == 202);
  CHECK(json::ParseObject(answer.body)->at("status").as_string() == "scheduled");
}

TEST_CASE("submission: signatures of several people come one after the other", "[api]") {
  Posting posting;
  Deployment& deployment = posting.deployment;
  deployment.policy.modules["default"].minimumweight = 2;
  const TrustedPolicy policy = deployment.Trusted();
  const Bytes payload = EncodeAction(posting.action);
  const Bytes by_ann = EncodeEnvelope(Seal(kActionType, payload, deployment.ann));
  const Bytes by_bob = EncodeEnvelope(Seal(kActionType, payload, deployment.bob));

  const Submission first = CheckSubmission(by_ann, policy, deployment.now);
  REQUIRE(posting.CodeOf(first) == "accepted");
  CHECK_FALSE(first.row.weight_reached);

  const Submission both = JoinSubmission(by_ann, by_bob, policy, deployment.now);
  REQUIRE(posting.CodeOf(both) == "accepted");
  CHECK(both.row.weight_reached);
  CHECK(both.people == std::vector<std::string>{"ann", "bob"});
  CHECK(DecodeEnvelope(both.row.envelope)->signatures.size() == 2);
  CHECK(both.row.digest == first.row.digest);

  // The same signature again, or one's own second key, adds no weight.
  CHECK_FALSE(JoinSubmission(by_ann, by_ann, policy, deployment.now).row.weight_reached);
  const Bytes by_ann_too = EncodeEnvelope(Seal(kActionType, payload, deployment.ann_other));
  CHECK_FALSE(JoinSubmission(by_ann, by_ann_too, policy, deployment.now).row.weight_reached);

  // Who was revoked meanwhile counts no more, and does not keep others from signing.
  deployment.policy.revoked = {Deployment::IdOf(deployment.ann)};
  const Submission left = JoinSubmission(by_ann, by_bob, deployment.Trusted(), deployment.now);
  REQUIRE(posting.CodeOf(left) == "accepted");
  CHECK_FALSE(left.row.weight_reached);
  CHECK(left.people == std::vector<std::string>{"bob"});

  posting.action.name = "another";
  const Bytes other =
      EncodeEnvelope(Seal(kActionType, EncodeAction(posting.action), deployment.bob));
  CHECK(posting.CodeOf(JoinSubmission(by_ann, other, policy, deployment.now)) == "internal");
}

TEST_CASE("submission: what no agent would obey is refused at the door", "[api]") {
  REQUIRE(kRegistered);
  Posting posting;
  const SecretKey& ann = posting.deployment.ann;
  CHECK(posting.CodeOf(posting.Post(SecretKey::Generate())) == "unknown_signer");

  posting.action.expireafter = posting.deployment.now - std::chrono::seconds(1);
  posting.action.validfrom = posting.action.expireafter - std::chrono::seconds(60);
  CHECK(posting.CodeOf(posting.Post(ann)) == "expired");

  posting.action = posting.deployment.ActionFor();
  posting.action.expireafter = posting.action.validfrom + std::chrono::hours(24 * 365);
  CHECK(posting.CodeOf(posting.Post(ann)) == "validity_too_long");

  posting.action = posting.deployment.ActionFor();
  posting.action.operations = {{"looking", {{"wrod", "x"}}}};
  CHECK(posting.CodeOf(posting.Post(ann)) == "bad_parameters");

  posting.action.operations = {{"looking", {{"word", "x"}}}};
  CHECK(posting.CodeOf(posting.Post(ann)) == "accepted");
  posting.action.kind = Kind::kRespond;
  posting.action.audience = Audience{1, Bytes(32, 'r')};
  posting.action.expireafter = posting.action.validfrom + std::chrono::minutes(5);
  CHECK(posting.CodeOf(posting.Post(ann)) == "wrong_kind");

  posting.action = posting.deployment.ActionFor();
  posting.action.limits.rss = posting.deployment.policy.ceilings.rss + 1;
  CHECK(posting.CodeOf(posting.Post(ann)) == "limits");
}

TEST_CASE("submission: an audience is the one that was signed, or there is none", "[api]") {
  Posting posting;
  Action& action = posting.action;
  action.kind = Kind::kRespond;
  action.expireafter = action.validfrom + std::chrono::minutes(5);
  action.operations = {{"newer-than-this-server", {}}};
  std::vector<Bytes> ids;
  for (char c = 'a'; c < 'f'; ++c) ids.emplace_back(Bytes(32, c));
  action.audience = Audience{ids.size(), MerkleTree(ids).root()};
  const TrustedPolicy policy = posting.deployment.Trusted();
  const auto post = [&](const std::vector<Bytes>& leaves) {
    Bytes joined;
    for (const Bytes& leaf : leaves) joined += leaf;
    const Envelope envelope = Deployment::Sign(action, {&posting.deployment.ann});
    const json::object body{{"action", EnvelopeToJson(envelope)},
                            {"audience", EncodeBase64(joined)}};
    return CheckSubmission(json::Write(body), policy, posting.deployment.now);
  };
  const Submission good = post(ids);
  REQUIRE(posting.CodeOf(good) == "accepted");
  CHECK(good.row.audience.size() == 5 * 32);
  CHECK_FALSE(good.audience_missing);
  CHECK(DecodeEnvelope(good.row.envelope));
  CHECK(posting.Post(posting.deployment.ann).audience_missing);

  std::vector<Bytes> wrong = ids;
  std::swap(wrong[0], wrong[1]);
  CHECK(posting.CodeOf(post(wrong)) == "not_in_audience");
  wrong = ids;
  wrong[4] = Bytes(32, 'z');
  CHECK(posting.CodeOf(post(wrong)) == "not_in_audience");
  wrong = ids;
  wrong.pop_back();
  CHECK(posting.CodeOf(post(wrong)) == "not_in_audience");
  wrong = ids;
  wrong[1] = wrong[0];
  CHECK(posting.CodeOf(post(wrong)) == "not_in_audience");

  action = posting.deployment.ActionFor();
  CHECK(posting.CodeOf(post(ids)) == "not_in_audience");  // signed for none
}

TEST_CASE("submission: what is not an envelope is malformed, not a crash", "[api]") {
  Posting posting;
  const TrustedPolicy policy = posting.deployment.Trusted();
  for (const char* body : {"", "{}", "[]", "{\"payloadType\":1}", "\xff"}) {
    const Submission submission = CheckSubmission(body, policy, posting.deployment.now);
    REQUIRE(submission.refused);
    CHECK(submission.refused->status == 400);
  }
}
