#include "cli/result_check.h"

#include <utility>

#include "crypto/digest.h"
#include "crypto/ed25519.h"

namespace mig::cli {

std::string_view PartFaultText(PartFault fault) {
  switch (fault) {
    case PartFault::kNotShown:
      return "was not among the agents shown before sending";
    case PartFault::kWrongKey:
      return "comes with a key that does not belong to the agent's id";
    case PartFault::kNotEnvelope:
      return "is not signed at all";
    case PartFault::kWrongType:
      return "is not a result";
    case PartFault::kBadSignature:
      return "is not signed with the agent's key";
    case PartFault::kMalformed:
      return "is signed, but cannot be read";
    case PartFault::kOtherAgent:
      return "speaks in the name of another agent";
    case PartFault::kOtherAction:
      return "answers another action";
    case PartFault::kNoOperation:
      return "answers an operation that the action does not have";
    case PartFault::kConflict:
      return "contradicts an earlier part of the same number";
    case PartFault::kBrokenChain:
      return "does not follow the part before it";
    case PartFault::kAfterLast:
      return "comes after the part that was said to be the last";
    case PartFault::kTooFarAhead:
      return "comes too far ahead of the parts before it";
    case PartFault::kMissing:
      return "is not complete";
  }
  return "does not verify";
}

ResultCheck::ResultCheck(const ActionId& action, std::size_t operations,
                         std::optional<std::vector<ShownAgent>> shown)
    : action_(action), operations_(operations) {
  if (!shown) return;
  shown_.emplace();
  for (ShownAgent& agent : *shown) shown_->emplace(agent.id, std::move(agent.key));
}

ResultCheck::Verdict ResultCheck::Check(const AgentId& agent, BytesView key,
                                        const std::optional<Envelope>& received) {
  const auto fail = [](PartFault fault, std::string detail = {}) {
    Verdict verdict;
    verdict.fault = fault;
    verdict.detail = std::move(detail);
    return verdict;
  };
  if (shown_) {
    const auto member = shown_->find(agent);
    if (member == shown_->end()) return fail(PartFault::kNotShown);
    if (!member->second.empty()) key = member->second;
  }
  // The id is the hash of the key, so it does not matter who told us the key.
  const auto public_key = PublicKey::FromBytes(key);
  if (!public_key || public_key->Fingerprint() != agent.View()) return fail(PartFault::kWrongKey);
  if (!received) return fail(PartFault::kNotEnvelope);
  const Envelope& envelope = *received;
  // The type stands under the signature: a heartbeat can never be shown as a result.
  if (envelope.payload_type != kResultType) {
    return fail(PartFault::kWrongType, envelope.payload_type);
  }
  if (!SignedBy(envelope, *public_key)) return fail(PartFault::kBadSignature);

  auto part = DecodeResultPart(envelope.payload);
  if (!part) return fail(PartFault::kMalformed, part.error().message());
  if (part->agent != agent) return fail(PartFault::kOtherAgent, part->agent.Text());
  if (part->action != action_) return fail(PartFault::kOtherAction, part->action.Text());
  if (part->operation >= operations_) {
    return fail(PartFault::kNoOperation, std::to_string(part->operation));
  }

  Verdict verdict;
  verdict.fault = Append(chains_[agent], part->seq,
                         {Sha256(envelope.payload), part->previous, part->last}, &verdict.repeated);
  if (verdict.fault) verdict.detail = "part " + std::to_string(part->seq);
  if (verdict.repeated) return verdict;
  if (!verdict.fault || verdict.fault == PartFault::kBrokenChain) {
    verdict.part = std::move(*part);
    verdict.key = Bytes(key);
  }
  return verdict;
}

std::optional<PartFault> ResultCheck::Append(Chain& chain, std::uint64_t seq, Link link,
                                             bool* repeated) {
  if (seq < chain.length) {
    // Its digest is not kept any more; whatever it says, what was printed stays what was first.
    *repeated = true;
    return std::nullopt;
  }
  if (const auto there = chain.ahead.find(seq); there != chain.ahead.end()) {
    if (there->second.digest != link.digest) return PartFault::kConflict;
    *repeated = true;
    return std::nullopt;
  }
  const bool after_last = chain.last && seq > *chain.last;
  const bool before_others = link.last && !chain.ahead.empty() && chain.ahead.rbegin()->first > seq;
  if (after_last || before_others || (link.last && chain.last)) return PartFault::kAfterLast;
  if (seq > chain.length && chain.ahead.size() >= kMaxAhead) return PartFault::kTooFarAhead;

  if (link.last) chain.last = seq;
  chain.ahead.emplace(seq, std::move(link));
  std::optional<PartFault> fault;
  for (auto next = chain.ahead.begin(); next != chain.ahead.end() && next->first == chain.length;
       next = chain.ahead.erase(next)) {
    if (next->second.previous != chain.head) fault = PartFault::kBrokenChain;
    chain.head = std::move(next->second.digest);
    chain.ended = next->second.last;
    ++chain.length;
  }
  return fault;
}

bool ResultCheck::Complete(const AgentId& agent) const {
  const auto chain = chains_.find(agent);
  return chain != chains_.end() && chain->second.ended;
}

std::string ResultCheck::Missing(const AgentId& agent) const {
  const auto found = chains_.find(agent);
  if (found == chains_.end()) return "every part";
  const Chain& chain = found->second;
  if (chain.ended) return {};
  if (chain.ahead.empty()) {
    return chain.length == 0 ? "every part"
                             : "everything after part " + std::to_string(chain.length - 1);
  }
  const std::uint64_t before = chain.ahead.begin()->first - 1;
  std::string text = before == chain.length ? "part " + std::to_string(chain.length)
                                            : "parts " + std::to_string(chain.length) + " to " +
                                                  std::to_string(before);
  if (!chain.last) text += " and the end";
  return text;
}

}  // namespace mig::cli
