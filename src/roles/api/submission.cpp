#include "roles/api/submission.h"

#include <set>

#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "modules/module.h"
#include "proto/attachment_references.h"
#include "trust/authorisation.h"
#include "trust/signers.h"

namespace mig::api {
namespace {

Submission Refuse(Answer answer) {
  Submission submission;
  submission.refused = std::move(answer);
  return submission;
}

// What was posted: the envelope's JSON, and the ids of its audience.
struct Posted {
  Bytes envelope;
  Bytes audience;
};

Expected<Posted> ReadPosted(BytesView body) {
  auto fields = json::ParseObject(body);
  if (!fields) return std::move(fields).error();
  if (!fields->contains("action")) return Posted{Bytes(body), {}};
  json::ObjectReader in(*fields, "");
  Posted posted;
  if (const json::object* envelope = in.Object("action")) posted.envelope = json::Write(*envelope);
  posted.audience = in.Base64("audience");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  return posted;
}

// Whether `ids` are the leaves of the signed root: each once, ascending.
std::optional<Refused> CheckAudience(const Action& action, BytesView ids) {
  const auto refuse = [](std::string why) {
    return Refused{Refusal::kNotInAudience, "audience: " + std::move(why)};
  };
  if (!action.audience) return refuse("the action was signed for none");
  if (action.audience->size > kMostAudience) {
    return refuse("more than " + std::to_string(kMostAudience) + " machines");
  }
  if (ids.size() != action.audience->size * AgentId::kBytes) {
    return refuse("not as many ids as were signed");
  }
  std::vector<Bytes> leaves;
  leaves.reserve(action.audience->size);
  for (std::size_t at = 0; at < ids.size(); at += AgentId::kBytes) {
    leaves.emplace_back(ids.substr(at, AgentId::kBytes));
    if (leaves.size() > 1 && !(leaves[leaves.size() - 2] < leaves.back())) {
      return refuse("the ids are not in ascending order, each once");
    }
  }
  if (MerkleTree(leaves).root() != action.audience->root) {
    return refuse("the ids are not those that were signed");
  }
  return std::nullopt;
}

// The steps of the agents' check between weight and id that need no agent.
std::optional<Refused> CheckContent(const Action& action, const Policy& policy, UtcTime now) {
  auto referred = CheckAttachmentReferences(action.operations, action.attachments);
  if (!referred) return Refused{Refusal::kBadParameters, referred.error().message()};
  for (std::size_t i = 0; i < action.operations.size(); ++i) {
    const Operation& operation = action.operations[i];
    const std::string where =
        "operations[" + std::to_string(i) + "], module " + operation.module + ": ";
    // A module that this server does not know may be known to newer agents.
    const Module* module = FindModule(operation.module);
    if (module == nullptr) continue;
    if (module->kind != action.kind) {
      return Refused{Refusal::kWrongKind,
                     where + "is of kind " + std::string(KindName(module->kind)) +
                         ", the action of kind " + std::string(KindName(action.kind))};
    }
    if (auto ok = CheckParameters(*module, operation.parameters); !ok) {
      return Refused{Refusal::kBadParameters, where + ok.error().message()};
    }
  }
  if (now >= action.expireafter) {
    return Refused{Refusal::kExpired, "expired at " + FormatRfc3339(action.expireafter) +
                                          "; this server's clock says " + FormatRfc3339(now)};
  }
  const auto longest = policy.validity.find(action.kind);
  if (action.kind != Kind::kStop) {
    if (longest == policy.validity.end()) {
      return Refused{Refusal::kValidityTooLong,
                     "the policy allows no action of kind " + std::string(KindName(action.kind))};
    }
    if (action.expireafter - action.validfrom > longest->second) {
      return Refused{Refusal::kValidityTooLong,
                     "valid for " + FormatDuration(action.expireafter - action.validfrom) +
                         ", the policy allows " + FormatDuration(longest->second)};
    }
    if (const std::string above = FirstAbove(action.limits, policy.ceilings); !above.empty()) {
      return Refused{Refusal::kLimits, "limits." + above + " is above the policy's ceiling"};
    }
  }
  return std::nullopt;
}

}  // namespace

Submission CheckSubmission(BytesView body, const TrustedPolicy& policy, UtcTime now) {
  auto posted = ReadPosted(body);
  if (!posted) return Refuse(ErrorAnswer(posted.error()));
  auto envelope = DecodeEnvelope(posted->envelope);
  if (!envelope) return Refuse(ErrorAnswer(envelope.error()));
  if (envelope->payload_type != kActionType) {
    return Refuse(
        ErrorAnswer(400, RefusalCode(Refusal::kMalformed), "payloadType is not that of an action"));
  }
  auto action = DecodeAction(envelope->payload);
  if (!action) return Refuse(ErrorAnswer(action.error()));
  SignatureCheck signatures = CheckSignatures(*envelope, *action, policy);
  if (signatures.refused) {
    return Refuse(RefusedAnswer(signatures.refused->code, signatures.refused->detail));
  }
  if (auto refused = CheckContent(*action, policy.policy(), now)) {
    return Refuse(RefusedAnswer(refused->code, refused->detail));
  }

  if (!posted->audience.empty()) {
    if (auto refused = CheckAudience(*action, posted->audience)) {
      return Refuse(RefusedAnswer(refused->code, refused->detail));
    }
  }

  Submission submission;
  submission.people = std::move(signatures.people);
  submission.audience_missing = action->audience && posted->audience.empty();
  store::NewAction& row = submission.row;
  row.id = action->id;
  row.digest = Sha256(envelope->payload);
  row.envelope = std::move(posted->envelope);
  row.audience = std::move(posted->audience);
  row.weight_reached = signatures.weight_reached;
  row.kind = action->kind;
  row.name = action->name;
  row.target = action->target;
  row.validfrom = action->validfrom;
  row.expireafter = action->expireafter;
  row.limit_bytes = action->limits.bytes;
  row.stops = action->stops;
  submission.attachments = std::move(action->attachments);
  for (const Signature& signature : envelope->signatures) {
    // CheckSignatures found every key by this id.
    const KeyId key = *KeyId::Parse(signature.keyid);
    row.signatures.push_back({policy.FindSigner(key)->person->id, key});
  }
  return submission;
}

Submission JoinSubmission(BytesView stored, BytesView body, const TrustedPolicy& policy,
                          UtcTime now) {
  auto before = DecodeEnvelope(stored);
  auto joined = DecodeEnvelope(body);
  if (!before || !joined || before->payload != joined->payload) {
    return Refuse(ErrorAnswer(Error(Errc::kInternal, "the stored action is another one")));
  }
  std::set<std::string> keys;
  for (const Signature& signature : joined->signatures) keys.insert(signature.keyid);
  for (const Signature& signature : before->signatures) {
    if (!keys.insert(signature.keyid).second) continue;
    const Envelope alone{before->payload_type, before->payload, {signature}};
    if (!CheckSigners(alone, policy).refused) joined->signatures.push_back(signature);
  }
  return CheckSubmission(EncodeEnvelope(*joined), policy, now);
}

Answer SubmittedAnswer(const Submission& submission, ActionStatus status) {
  json::array people;
  for (const std::string& person : submission.people) people.emplace_back(person);
  return JsonAnswer(202, json::object{{"id", submission.row.id.Text()},
                                      {"status", ActionStatusName(status)},
                                      {"weight_reached", status != ActionStatus::kPending},
                                      {"people", std::move(people)}});
}

}  // namespace mig::api
