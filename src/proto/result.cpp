#include "proto/result.h"

#include <algorithm>
#include <array>
#include <limits>

#include "proto/id_field.h"

namespace mig {
namespace {

using json::ObjectReader;
constexpr auto kIgnore = ObjectReader::Unknown::kIgnore;
constexpr std::size_t kHashBytes = 32;

// In the order of the enumerations. Names are on the wire and in stores: never rename one.
constexpr std::array<std::string_view, 11> kCommandStatus = {
    "prepared", "sent",    "received", "running", "success",    "failed",
    "timeout",  "refused", "expired",  "stopped", "interrupted"};
constexpr std::array<std::string_view, 9> kActionStatus = {"pending",  "scheduled", "preparing",
                                                           "inflight", "completed", "expired",
                                                           "stopped",  "refused",   "invalid"};
constexpr std::array<std::string_view, 4> kReceiptStates = {"received", "started", "refused",
                                                            "busy"};

template <typename Status, std::size_t kSize>
Expected<Status> ParseStatus(const std::array<std::string_view, kSize>& names,
                             std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Status>(found - names.begin());
  return Error(Errc::kUnsupported, "`" + std::string(name.substr(0, 64)) + "` is not a status");
}

json::object EncodeMark(const LedgerMark& mark) {
  return {{"length", json::FromUint(mark.length)}, {"head", EncodeBase64(mark.head)}};
}

LedgerMark ReadMark(ObjectReader& outer) {
  LedgerMark mark;
  const json::object* fields = outer.Object("ledger");
  if (fields == nullptr) return mark;
  ObjectReader in(*fields, outer.Where("ledger"), kIgnore);
  mark.length = in.Uint64("length");
  mark.head = in.Base64("head");
  if (mark.head.size() != kHashBytes) in.Fail("head", "has not 32 bytes");
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return mark;
}

CommandStatus ReadFinalStatus(ObjectReader& in, std::string_view key) {
  auto status = ParseCommandStatus(in.String(key));
  if (!status || !IsFinal(*status)) {
    in.Fail(key, "is not a final status of a command");
    return CommandStatus::kFailed;
  }
  return *status;
}

std::vector<ResultElement> ReadElements(ObjectReader& outer) {
  std::vector<ResultElement> elements;
  const json::array* items = outer.OptionalArray("elements");
  if (items == nullptr) return elements;
  elements.reserve(items->size());
  for (const json::value& item : *items) {
    if (!item.is_object()) {
      outer.Fail("elements", "has one that is not an object");
      break;
    }
    ObjectReader in(item.get_object(), "elements[" + std::to_string(elements.size()) + "]",
                    kIgnore);
    ResultElement element;
    element.label = in.OptionalName("label");
    if (const json::value* v = in.Any("value")) element.value = *v;
    if (auto ok = in.Finish(); !ok) {
      outer.Fail(std::move(ok).error());
      break;
    }
    elements.push_back(std::move(element));
  }
  return elements;
}

std::optional<OperationSummary> ReadSummary(ObjectReader& outer) {
  const json::object* fields = outer.OptionalObject("summary");
  if (fields == nullptr) return std::nullopt;
  ObjectReader in(*fields, "summary", kIgnore);
  OperationSummary summary;
  summary.status = ReadFinalStatus(in, "status");
  if (const json::object* result = in.Object("result")) summary.result = *result;
  summary.sandbox = in.String("sandbox");
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return summary;
}

std::map<std::string, std::uint32_t> ReadVersions(ObjectReader& outer, std::string_view key) {
  std::map<std::string, std::uint32_t> versions;
  const json::object* fields = outer.OptionalObject(key);
  if (fields == nullptr) return versions;
  ObjectReader in(*fields, std::string(key), kIgnore);
  for (const auto& member : *fields) {
    versions[member.key()] = static_cast<std::uint32_t>(
        in.Integer(member.key(), 0, std::numeric_limits<std::uint32_t>::max()));
  }
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return versions;
}

json::object EncodeVersions(const std::map<std::string, std::uint32_t>& versions) {
  json::object fields;
  for (const auto& [name, version] : versions) fields[name] = version;
  return fields;
}

}  // namespace

std::string_view CommandStatusName(CommandStatus status) {
  return kCommandStatus[static_cast<std::size_t>(status)];
}

Expected<CommandStatus> ParseCommandStatus(std::string_view name) {
  return ParseStatus<CommandStatus>(kCommandStatus, name);
}

bool IsFinal(CommandStatus status) { return status >= CommandStatus::kSuccess; }

std::string_view ActionStatusName(ActionStatus status) {
  return kActionStatus[static_cast<std::size_t>(status)];
}

Expected<ActionStatus> ParseActionStatus(std::string_view name) {
  return ParseStatus<ActionStatus>(kActionStatus, name);
}

bool IsFinal(ActionStatus status) { return status >= ActionStatus::kCompleted; }

Bytes EncodeReceipt(const Receipt& receipt) {
  json::object fields = {
      {"agent", receipt.agent.Text()}, {"action", receipt.action.Text()}, {"state", receipt.state}};
  if (!receipt.code.empty()) fields["code"] = receipt.code;
  if (!receipt.detail.empty()) fields["detail"] = json::FromName(receipt.detail);
  fields["time"] = FormatRfc3339(receipt.time);
  fields["policy"] = json::FromUint(receipt.policy);
  fields["ledger"] = EncodeMark(receipt.ledger);
  return json::Write(fields);
}

Expected<Receipt> DecodeReceipt(BytesView payload) {
  auto fields = json::ParseObject(payload);
  if (!fields) return std::move(fields).error().During("receipt");
  ObjectReader in(*fields, "", kIgnore);
  Receipt receipt;
  receipt.agent = ReadId<AgentId>(in, "agent");
  receipt.action = ReadId<ActionId>(in, "action");
  receipt.state = in.String("state");
  if (std::find(kReceiptStates.begin(), kReceiptStates.end(), receipt.state) ==
      kReceiptStates.end()) {
    in.Fail("state", "is none of received, started, refused, busy");
  }
  receipt.code = in.OptionalString("code");
  if (receipt.state == "refused" && receipt.code.empty()) in.Fail("code", "is missing");
  receipt.detail = in.OptionalName("detail");
  receipt.time = in.Time("time");
  receipt.policy = in.OptionalUint64("policy", 0);
  receipt.ledger = ReadMark(in);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("receipt");
  return receipt;
}

Bytes EncodeResultPart(const ResultPart& part) {
  json::object fields = {{"agent", part.agent.Text()},
                         {"action", part.action.Text()},
                         {"seq", json::FromUint(part.seq)},
                         {"last", part.last}};
  if (!part.previous.empty()) fields["previous"] = EncodeBase64(part.previous);
  fields["operation"] = part.operation;
  json::array elements;
  elements.reserve(part.elements.size());
  for (const ResultElement& element : part.elements) {
    elements.push_back(
        json::object{{"label", json::FromName(element.label)}, {"value", element.value}});
  }
  fields["elements"] = std::move(elements);
  if (part.summary) {
    fields["summary"] = json::object{{"status", CommandStatusName(part.summary->status)},
                                     {"result", part.summary->result},
                                     {"sandbox", part.summary->sandbox}};
  }
  if (part.status) fields["status"] = CommandStatusName(*part.status);
  fields["time"] = FormatRfc3339(part.time);
  fields["ledger"] = EncodeMark(part.ledger);
  return json::Write(fields);
}

Expected<ResultPart> DecodeResultPart(BytesView payload) {
  auto fields = json::ParseObject(payload);
  if (!fields) return std::move(fields).error().During("result");
  ObjectReader in(*fields, "", kIgnore);
  ResultPart part;
  part.agent = ReadId<AgentId>(in, "agent");
  part.action = ReadId<ActionId>(in, "action");
  part.seq = in.Uint64("seq");
  part.last = in.OptionalBool("last", false);
  if (in.Has("previous")) part.previous = in.Base64("previous");
  // The chain starts at part 0 and nowhere else.
  if (part.previous.size() != (part.seq == 0 ? 0 : kHashBytes)) {
    in.Fail("previous", part.seq == 0 ? "stands in part 0" : "has not 32 bytes");
  }
  part.operation = static_cast<std::uint32_t>(
      in.Integer("operation", 0, std::numeric_limits<std::uint32_t>::max()));
  part.elements = ReadElements(in);
  part.summary = ReadSummary(in);
  if (part.last) {
    part.status = ReadFinalStatus(in, "status");
  } else if (in.Has("status")) {
    in.Fail("status", "stands in a part that is not the last");
  }
  part.time = in.Time("time");
  part.ledger = ReadMark(in);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("result");
  return part;
}

json::object EncodeEnvironment(const Environment& environment) {
  json::array addresses;
  for (const std::string& address : environment.addresses) {
    addresses.push_back(json::FromName(address));
  }
  return {{"hostname", json::FromName(environment.hostname)},
          {"os", json::FromName(environment.os)},
          {"arch", json::FromName(environment.arch)},
          {"ident", json::FromName(environment.ident)},
          {"init", json::FromName(environment.init)},
          {"kernel", json::FromName(environment.kernel)},
          {"addresses", std::move(addresses)}};
}

Environment DecodeEnvironment(const json::object& fields) {
  // What an agent says of its machine is for people and targets: whatever cannot be read of it is
  // absent, and the rest counts.
  const auto text = [&](std::string_view key) {
    const json::value* v = fields.if_contains(key);
    auto name = v != nullptr ? json::ToName(*v) : Expected<Bytes>(Bytes());
    return name ? std::move(*name) : Bytes();
  };
  Environment environment{text("hostname"), text("os"), text("arch"), text("ident"), text("init"),
                          text("kernel"),   {}};
  const json::value* addresses = fields.if_contains("addresses");
  if (addresses != nullptr && addresses->is_array()) {
    for (const json::value& item : addresses->get_array()) {
      if (auto address = json::ToName(item)) environment.addresses.push_back(std::move(*address));
    }
  }
  return environment;
}

Bytes EncodeHeartbeat(const Heartbeat& heartbeat) {
  json::object tags;
  for (const auto& [name, text] : heartbeat.tags) tags[name] = json::FromName(text);
  json::object fields{{"agent", heartbeat.agent.Text()},
                      {"name", json::FromName(heartbeat.name)},
                      {"version", heartbeat.version},
                      {"time", FormatRfc3339(heartbeat.time)},
                      {"started", FormatRfc3339(heartbeat.started)},
                      {"environment", EncodeEnvironment(heartbeat.environment)},
                      {"tags", std::move(tags)},
                      {"modules", EncodeVersions(heartbeat.modules)},
                      {"formats", EncodeVersions(heartbeat.formats)},
                      {"policy", json::FromUint(heartbeat.policy)},
                      {"sandbox", heartbeat.sandbox},
                      {"boot", heartbeat.boot},
                      {"ledger", EncodeMark(heartbeat.ledger)}};
  if (!heartbeat.host.empty()) {
    fields["host"] = heartbeat.host;
    fields["pid"] = json::FromUint(heartbeat.pid);
  }
  return json::Write(fields);
}

Expected<Heartbeat> DecodeHeartbeat(BytesView payload) {
  auto fields = json::ParseObject(payload);
  if (!fields) return std::move(fields).error().During("heartbeat");
  ObjectReader in(*fields, "", kIgnore);
  Heartbeat heartbeat;
  heartbeat.agent = ReadId<AgentId>(in, "agent");
  heartbeat.name = in.Name("name");
  heartbeat.version = in.String("version");
  heartbeat.time = in.Time("time");
  heartbeat.started = in.Time("started");
  if (const json::object* environment = in.Object("environment")) {
    heartbeat.environment = DecodeEnvironment(*environment);
  }
  if (const json::object* tags = in.OptionalObject("tags")) {
    ObjectReader inner(*tags, "tags", kIgnore);
    for (const auto& member : *tags) heartbeat.tags[member.key()] = inner.Name(member.key());
    if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  }
  heartbeat.modules = ReadVersions(in, "modules");
  heartbeat.formats = ReadVersions(in, "formats");
  heartbeat.policy = in.OptionalUint64("policy", 0);
  heartbeat.sandbox = in.OptionalString("sandbox");
  heartbeat.boot = in.OptionalString("boot");
  heartbeat.host = in.OptionalString("host");
  heartbeat.pid = in.OptionalUint64("pid", 0);
  heartbeat.ledger = ReadMark(in);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("heartbeat");
  return heartbeat;
}

Bytes EncodePresence(const Presence& presence) {
  return json::Write(json::object{{"agent", presence.agent.Text()},
                                  {"on", presence.on},
                                  {"time", FormatRfc3339(presence.time)},
                                  {"boot", presence.boot}});
}

Expected<Presence> DecodePresence(BytesView payload) {
  auto fields = json::ParseObject(payload);
  if (!fields) return std::move(fields).error().During("presence");
  ObjectReader in(*fields, "", kIgnore);
  Presence presence;
  presence.agent = ReadId<AgentId>(in, "agent");
  const json::value* on = in.Any("on");
  if (on != nullptr && !on->is_bool()) in.Fail("on", "is neither true nor false");
  presence.on = on != nullptr && on->is_bool() && on->get_bool();
  presence.time = in.Time("time");
  presence.boot = in.OptionalString("boot");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("presence");
  return presence;
}

}  // namespace mig
