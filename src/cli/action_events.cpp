#include "cli/action_events.h"

namespace mig::cli {
namespace {

using json::ObjectReader;

AgentId ReadAgent(ObjectReader& in) {
  const std::string text = in.String("agent");
  auto id = AgentId::Parse(text);
  if (!id && in.ok()) in.Fail("agent", id.error().message());
  return id ? *id : AgentId();
}

}  // namespace

std::string ReadName(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  if (value == nullptr) return {};
  auto name = json::ToName(*value);
  return name ? std::move(*name) : std::string();
}

Expected<ProgressEvent> ReadProgress(const json::object& fields) {
  ObjectReader in(fields, "progress", ObjectReader::Unknown::kIgnore);
  ProgressEvent event;
  const std::string status = in.String("status");
  if (auto parsed = ParseActionStatus(status)) {
    event.status = *parsed;
  } else {
    in.Fail("status", parsed.error().message());
  }
  event.detail = in.OptionalString("detail");
  if (const json::object* counters = in.OptionalObject("counters")) {
    ObjectReader count(*counters, "progress.counters", ObjectReader::Unknown::kIgnore);
    event.targeted = count.OptionalUint64("targeted", 0);
    event.running = count.OptionalUint64("running", 0);
    if (auto done = count.Finish(); !done) return std::move(done).error();
  }
  if (auto done = in.Finish(); !done) return std::move(done).error();
  return event;
}

Expected<PartEvent> ReadPart(const json::object& fields) {
  ObjectReader in(fields, "part", ObjectReader::Unknown::kIgnore);
  PartEvent event;
  event.agent = ReadAgent(in);
  event.name = ReadName(fields, "name");
  event.key = in.Base64("key");
  const json::value* envelope = in.OptionalAny("envelope");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (envelope == nullptr || !envelope->is_object()) return event;
  if (auto read = EnvelopeFromJson(envelope->get_object(), "envelope")) {
    event.envelope = std::move(*read);
  }
  return event;
}

Expected<CommandEvent> ReadCommand(const json::object& fields) {
  ObjectReader in(fields, "command", ObjectReader::Unknown::kIgnore);
  CommandEvent event;
  event.agent = ReadAgent(in);
  event.name = ReadName(fields, "name");
  const std::string status = in.String("status");
  if (auto parsed = ParseCommandStatus(status)) {
    event.status = *parsed;
  } else {
    in.Fail("status", parsed.error().message());
  }
  event.code = in.OptionalString("code");
  event.detail = ReadName(fields, "detail");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  return event;
}

Expected<std::optional<ActionEvent>> ReadActionEvent(std::string_view kind, std::string_view data) {
  const auto some = [](auto event) -> Expected<std::optional<ActionEvent>> {
    if (!event) return std::move(event).error();
    return std::optional<ActionEvent>(std::move(*event));
  };
  const bool known = kind == "progress" || kind == "part" || kind == "command" || kind == "end";
  if (!known) return std::optional<ActionEvent>();
  auto fields = json::ParseObject(data);
  if (!fields) return std::move(fields).error().During("event " + std::string(kind));
  if (kind == "part") return some(ReadPart(*fields));
  if (kind == "command") return some(ReadCommand(*fields));
  auto progress = ReadProgress(*fields);
  if (!progress) return std::move(progress).error();
  if (kind == "end") return std::optional<ActionEvent>(EndEvent{std::move(*progress)});
  return std::optional<ActionEvent>(std::move(*progress));
}

}  // namespace mig::cli
