#include "proto/command.h"

#include "proto/id_field.h"

namespace mig {
namespace {

constexpr std::size_t kMaxAcknowledgedParts = 256;
constexpr std::size_t kMaxRoots = 256;

Expected<Control> DecodeAcknowledgement(json::ObjectReader& in) {
  Acknowledgement acknowledgement;
  acknowledgement.action = ReadId<ActionId>(in, "action");
  if (const json::array* parts = in.Array("parts")) {
    if (parts->size() > kMaxAcknowledgedParts) in.Fail("parts", "has more than 256 numbers");
    for (const json::value& part : *parts) {
      auto seq = json::ToUint(part);
      if (!seq) {
        in.Fail("parts", "has an element that is " + seq.error().message());
        break;
      }
      acknowledgement.parts.push_back(*seq);
    }
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return Control(std::move(acknowledgement));
}

Expected<Control> DecodePolicyUpdate(json::ObjectReader& in) {
  PolicyUpdate update;
  if (const json::array* roots = in.Array("roots")) {
    if (roots->empty() || roots->size() > kMaxRoots) in.Fail("roots", "has not 1..256 documents");
    for (const json::value& root : *roots) {
      if (!root.is_object()) {
        in.Fail("roots", "has an element that is not an object");
        break;
      }
      update.roots.push_back(root.get_object());
    }
  }
  if (const json::object* policy = in.Object("policy")) update.policy = *policy;
  if (const json::object* freshness = in.OptionalObject("freshness")) update.freshness = *freshness;
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return Control(std::move(update));
}

}  // namespace

Expected<Command> DecodeCommand(BytesView message) {
  if (message.size() > kMaxCommandBytes) {
    return Error(Errc::kMalformed, "command: " + std::to_string(message.size()) + " bytes");
  }
  auto fields = json::ParseObject(message);
  if (!fields) return std::move(fields).error().During("command");
  json::ObjectReader in(*fields, "command", json::ObjectReader::Unknown::kIgnore);
  Command command;
  if (const json::object* action = in.Object("action")) command.action = *action;
  if (const json::object* proof = in.OptionalObject("proof")) {
    auto decoded = DecodeAudienceProof(*proof, "command.proof");
    if (decoded) {
      command.proof = std::move(*decoded);
    } else {
      in.Fail(std::move(decoded).error());
    }
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return command;
}

Bytes EncodeCommand(const Command& command) {
  json::object fields = {{"action", command.action}};
  if (command.proof) fields["proof"] = EncodeAudienceProof(*command.proof);
  return json::Write(fields);
}

Expected<Control> DecodeControl(BytesView message) {
  if (message.size() > kMaxControlBytes) {
    return Error(Errc::kMalformed, "control: " + std::to_string(message.size()) + " bytes");
  }
  auto fields = json::ParseObject(message);
  if (!fields) return std::move(fields).error().During("control");
  json::ObjectReader in(*fields, "control", json::ObjectReader::Unknown::kIgnore);
  const std::string type = in.String("type");
  if (type == "acknowledgement") return DecodeAcknowledgement(in);
  if (type == "policy") return DecodePolicyUpdate(in);
  if (type == "held") return Control(IdentityHeld());
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return Error(Errc::kUnsupported, "control.type: unknown");
}

Bytes EncodeControl(const Control& control) {
  if (const auto* update = std::get_if<PolicyUpdate>(&control)) {
    json::array roots;
    for (const json::object& root : update->roots) roots.push_back(root);
    json::object fields = {
        {"type", "policy"}, {"roots", std::move(roots)}, {"policy", update->policy}};
    if (update->freshness) fields["freshness"] = *update->freshness;
    return json::Write(fields);
  }
  if (std::holds_alternative<IdentityHeld>(control)) return json::Write(json::object{{"type", "held"}});
  const auto& acknowledgement = std::get<Acknowledgement>(control);
  json::array parts;
  for (const std::uint64_t seq : acknowledgement.parts) parts.push_back(json::FromUint(seq));
  return json::Write(json::object{{"type", "acknowledgement"},
                                  {"action", acknowledgement.action.Text()},
                                  {"parts", std::move(parts)}});
}

}  // namespace mig
