#include "roles/scheduler/intake.h"

#include <array>

#include "crypto/digest.h"

namespace mig::scheduler {
namespace {

// In the order of Flaw.
constexpr std::array<std::string_view, kFlaws> kFlawNames = {
    "topic",       "envelope",  "unknown_agent", "signature", "type",     "payload",
    "other_agent", "not_asked", "conflict",      "too_much",  "overload", "store"};

// Heartbeats are rows of a table that every target reads; an honest one has a few KiB.
constexpr std::size_t kMaxHeartbeatBytes = 32 * 1024;

Rejected Reject(Flaw flaw, const AgentId& agent, std::string detail) {
  return Rejected{flaw, agent, std::move(detail)};
}

// What all kinds have in common once they are decoded: they speak of their own agent.
template <typename Message>
std::variant<Arrival, Rejected> Checked(Expected<Message> message, const AgentId& agent) {
  if (!message) return Reject(Flaw::kPayload, agent, message.error().message());
  if (message->agent != agent) {
    return Reject(Flaw::kOtherAgent, agent, "speaks of agent " + message->agent.Text());
  }
  return Arrival(std::move(*message));
}

}  // namespace

std::string_view FlawName(Flaw flaw) { return kFlawNames[static_cast<std::size_t>(flaw)]; }

std::variant<Sealed, Rejected> OpenMessage(std::string_view topic, BytesView payload) {
  auto up = topics::ParseUp(topic);
  if (!up) {
    return Rejected{Flaw::kTopic, std::nullopt,
                    "topic `" + std::string(topic.substr(0, 256)) + "`"};
  }
  auto envelope = DecodeEnvelope(payload);
  if (!envelope) return Reject(Flaw::kEnvelope, up->agent, envelope.error().message());
  return Sealed{*up, std::move(*envelope), Bytes(payload)};
}

std::variant<Arrival, Rejected> VerifyMessage(Sealed sealed, const PublicKey& key) {
  const AgentId& agent = sealed.up.agent;
  // The id is the key's hash. The store says so too; a store that was tampered with does not get to
  // lend one agent's name to another's key.
  if (key.Fingerprint() != agent.View()) {
    return Reject(Flaw::kSignature, agent, "the enrolled key is not the one of this id");
  }
  if (!SignedBy(sealed.envelope, key)) {
    return Reject(Flaw::kSignature, agent, "not signed by this agent's key");
  }
  const std::string& type = sealed.envelope.payload_type;
  const BytesView payload = sealed.envelope.payload;
  switch (sealed.up.kind) {
    case topics::UpKind::kHeartbeat:
      if (type != kHeartbeatType) break;
      if (payload.size() > kMaxHeartbeatBytes) {
        return Reject(Flaw::kPayload, agent,
                      "heartbeat of " + std::to_string(payload.size()) + " bytes");
      }
      return Checked(DecodeHeartbeat(payload), agent);
    case topics::UpKind::kPresence:
      if (type != kPresenceType) break;
      return Checked(DecodePresence(payload), agent);
    case topics::UpKind::kResult: {
      if (type == kReceiptType) return Checked(DecodeReceipt(payload), agent);
      if (type != kResultType) break;
      auto part = DecodeResultPart(payload);
      if (!part) return Reject(Flaw::kPayload, agent, part.error().message());
      if (part->agent != agent) {
        return Reject(Flaw::kOtherAgent, agent, "speaks of agent " + part->agent.Text());
      }
      return Arrival(Part{std::move(*part), Sha256(payload), std::move(sealed.text)});
    }
  }
  return Reject(Flaw::kType, agent, "payload type `" + type.substr(0, 128) + "`");
}

CommandStatus FinalStatus(const ResultPart& part) {
  const CommandStatus status = part.status.value_or(CommandStatus::kFailed);
  switch (status) {
    case CommandStatus::kSuccess:
    case CommandStatus::kTimeout:
    case CommandStatus::kStopped:
    case CommandStatus::kInterrupted:
      return status;
    default:
      return CommandStatus::kFailed;
  }
}

bool FoundAnything(const ResultPart& part) {
  if (!part.summary) return false;
  const json::value* found = part.summary->result.if_contains("foundanything");
  return found != nullptr && found->is_bool() && found->get_bool();
}

}  // namespace mig::scheduler
