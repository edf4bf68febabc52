#include "roles/api/views.h"

#include "util/encoding.h"

namespace mig::api {
namespace {

json::value TimeOrNull(const std::optional<UtcTime>& time) {
  return time ? json::value(FormatRfc3339(*time)) : json::value(nullptr);
}

// What agents reported about themselves, stored as JSON text. A row that somebody damaged shows as
// null rather than making the whole list fail.
json::value Embedded(const std::string& text) {
  auto value = json::Parse(text);
  return value ? std::move(*value) : json::value(nullptr);
}

}  // namespace

json::object ViewCounters(const store::Counters& c) {
  return {{"targeted", c.targeted}, {"prepared", c.prepared}, {"sent", c.sent},
          {"received", c.received}, {"running", c.running},   {"success", c.success},
          {"failed", c.failed},     {"timeout", c.timeout},   {"refused", c.refused},
          {"expired", c.expired},   {"stopped", c.stopped},   {"interrupted", c.interrupted},
          {"late", c.late},         {"found", c.found}};
}

json::object ViewAction(const store::ActionRow& action, const store::Counters& counters) {
  json::object view{{"id", action.id.Text()},
                    {"row", action.row},
                    {"status", ActionStatusName(action.status)},
                    {"kind", KindName(action.kind)},
                    {"name", action.name},
                    {"target", action.target},
                    {"validfrom", FormatRfc3339(action.validfrom)},
                    {"expireafter", FormatRfc3339(action.expireafter)},
                    {"received", FormatRfc3339(action.received)},
                    {"started", TimeOrNull(action.started)},
                    {"finished", TimeOrNull(action.finished)},
                    {"detail", action.detail},
                    {"counters", ViewCounters(counters)}};
  if (action.stops) view["stops"] = action.stops->Text();
  if (action.stopped_by) view["stopped_by"] = action.stopped_by->Text();
  return view;
}

json::object ViewPending(const store::ActionRow& action,
                         std::span<const store::SignatureRow> signatures, BytesView envelope,
                         std::uint64_t machines) {
  json::object view = ViewAction(action, {});
  json::array people;
  for (const store::SignatureRow& signature : signatures) people.emplace_back(signature.person);
  view["people"] = std::move(people);
  view["machines"] = machines;
  view["envelope"] = Embedded(std::string(envelope));
  return view;
}

json::object ViewProposal(const store::ProposalRow& proposal) {
  return {{"id", proposal.id.Text()},
          {"row", proposal.row},
          {"proposer", proposal.proposer},
          {"kind", KindName(proposal.kind)},
          {"name", proposal.name},
          {"target", proposal.target},
          {"operations", Embedded(proposal.operations)},
          {"reason", proposal.reason},
          {"created", FormatRfc3339(proposal.created)},
          {"expires", FormatRfc3339(proposal.expires)}};
}

json::object ViewRejection(const store::RejectionRow& rejection) {
  return {{"person", rejection.person},
          {"reason", rejection.reason},
          {"time", FormatRfc3339(rejection.time)}};
}

json::object ViewAgent(const store::AgentRow& agent, std::span<const store::AgentCopyRow> copies) {
  json::object view{{"id", agent.id.Text()},
                    {"name", json::FromName(agent.name)},
                    {"status", store::AgentStatusName(agent.status)},
                    {"version", agent.version},
                    {"key", EncodeBase64(agent.key)},
                    {"environment", Embedded(agent.environment)},
                    {"tags", Embedded(agent.tags)},
                    {"enrolled", FormatRfc3339(agent.enrolled)},
                    {"heartbeattime", agent.heartbeattime == UtcTime()
                                          ? json::value(nullptr)
                                          : json::value(FormatRfc3339(agent.heartbeattime))},
                    {"policy", agent.policy},
                    {"sandbox", agent.sandbox},
                    {"cloned", TimeOrNull(agent.cloned)},
                    {"ledger_back", TimeOrNull(agent.ledger_back)}};
  if (agent.ledger_back) view["ledger_before"] = json::FromUint(agent.ledger_before);
  if (copies.empty()) return view;
  json::array list;
  for (const store::AgentCopyRow& copy : copies) {
    list.push_back(json::object{{"boot", copy.boot},
                                {"name", json::FromName(copy.name)},
                                {"environment", Embedded(copy.environment)},
                                {"first", FormatRfc3339(copy.first)},
                                {"last", FormatRfc3339(copy.last)}});
  }
  view["copies"] = std::move(list);
  return view;
}

json::object ViewCommand(const store::CommandRow& command) {
  return {{"agent", command.agent.Text()},
          {"name", json::FromName(command.agent_name)},
          {"status", CommandStatusName(command.status)},
          {"code", command.code},
          {"detail", json::FromName(command.detail)},
          {"found", command.found ? json::value(*command.found) : json::value(nullptr)},
          {"late", command.late},
          {"attempts", command.attempts},
          {"sent", TimeOrNull(command.sent)},
          {"finished", TimeOrNull(command.finished)}};
}

Bytes ViewPart(const store::PartRow& part, BytesView key) {
  const json::object head{{"row", part.row},
                          {"agent", part.agent.Text()},
                          {"name", json::FromName(part.agent_name)},
                          {"key", EncodeBase64(key)},
                          {"late", part.late}};
  Bytes text = json::Write(head);
  text.pop_back();
  text += ",\"envelope\":";
  // The envelope is embedded as it was sent, unless the agent wrote it over several lines, which
  // would end the event; its payload is base64, so writing it anew does not touch what is signed.
  if (part.envelope.find_first_of("\r\n") == Bytes::npos) {
    text += part.envelope;
  } else {
    auto envelope = json::Parse(part.envelope);
    text += envelope ? json::Write(*envelope) : "null";
  }
  text += '}';
  return text;
}

}  // namespace mig::api
