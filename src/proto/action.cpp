#include "proto/action.h"

#include <algorithm>

#include "proto/id_field.h"
#include "proto/strict_document.h"
#include "proto/target.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::size_t kMaxModuleBytes = 32;

// Signed fields of DESIGN that this version cannot honour. Ignoring one would run an order in
// another sense than its signers gave it.
constexpr std::string_view kLaterFields[] = {"recipients"};

bool IsModuleName(std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kMaxModuleBytes && lower(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// A string of 1 to `most` bytes.
std::string ReadText(json::ObjectReader& in, std::string_view key, std::size_t most) {
  std::string text = in.String(key);
  if (text.empty() || text.size() > most) {
    in.Fail(key, "has " + std::to_string(text.size()) + " bytes; 1.." + std::to_string(most) +
                     " expected");
  }
  return text;
}

Expected<Operation> DecodeOperation(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
  json::ObjectReader in(item.get_object(), where);
  Operation operation;
  operation.module = in.String("module");
  if (!IsModuleName(operation.module)) {
    in.Fail("module", "is not a module's name ([a-z][a-z0-9-]*, at most 32 characters)");
  }
  if (const json::object* parameters = in.Object("parameters")) {
    operation.parameters = *parameters;
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return operation;
}

Expected<std::vector<Operation>> DecodeOperations(const json::array& items, Kind kind) {
  std::vector<Operation> operations;
  if (kind == Kind::kStop ? !items.empty() : items.empty() || items.size() > kMaxOperations) {
    return Error(Errc::kInvalid, "operations: " + std::to_string(items.size()) + " operations; " +
                                     (kind == Kind::kStop ? "a stop has none" : "1..32 expected"));
  }
  for (const json::value& item : items) {
    auto operation = DecodeOperation(item, "operations[" + std::to_string(operations.size()) + "]");
    if (!operation) return std::move(operation).error();
    operations.push_back(std::move(*operation));
  }
  return operations;
}

Description DecodeDescription(json::ObjectReader& in) {
  Description description;
  const json::object* fields = in.OptionalObject("description");
  if (fields == nullptr) return description;
  json::ObjectReader inner(*fields, "description");
  description.author = inner.OptionalString("author");
  description.email = inner.OptionalString("email");
  description.url = inner.OptionalString("url");
  description.revision = inner.OptionalUint64("revision", 0);
  if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  return description;
}

Threat DecodeThreat(json::ObjectReader& in) {
  Threat threat;
  const json::object* fields = in.OptionalObject("threat");
  if (fields == nullptr) return threat;
  json::ObjectReader inner(*fields, "threat");
  threat.ref = inner.OptionalString("ref");
  threat.level = inner.OptionalString("level");
  threat.family = inner.OptionalString("family");
  threat.type = inner.OptionalString("type");
  if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  return threat;
}

bool IsAttachmentName(std::string_view name) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 64 && alnum(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; });
}

Expected<Attachment> DecodeAttachment(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
  json::ObjectReader in(item.get_object(), where);
  Attachment attachment;
  attachment.name = in.String("name");
  if (!IsAttachmentName(attachment.name)) {
    in.Fail("name", "is not 1..64 characters A-Z a-z 0-9 . _ -, the first a letter or digit");
  }
  const std::string digest = in.String("sha256");
  auto raw = DecodeHex(digest);
  // One text for one value: it names the object at the API and in caches.
  if (raw && raw->size() == 32 && EncodeHex(*raw) == digest) {
    attachment.sha256 = std::move(*raw);
  } else {
    in.Fail("sha256", "is not a SHA-256 in 64 lower-case hex digits");
  }
  attachment.bytes = in.Uint64("bytes");
  if (attachment.bytes == 0 || attachment.bytes > kMaxAttachmentBytes) {
    in.Fail("bytes", "is not 1.." + std::to_string(kMaxAttachmentBytes));
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return attachment;
}

std::vector<Attachment> DecodeAttachments(json::ObjectReader& in) {
  std::vector<Attachment> attachments;
  const json::array* items = in.OptionalArray("attachments");
  if (items == nullptr) return attachments;
  if (items->empty() || items->size() > kMaxAttachments) {
    in.Fail("attachments", "has not 1.." + std::to_string(kMaxAttachments) + " elements");
    return attachments;
  }
  for (const json::value& item : *items) {
    auto attachment =
        DecodeAttachment(item, "attachments[" + std::to_string(attachments.size()) + "]");
    if (!attachment) {
      in.Fail(std::move(attachment).error());
      break;
    }
    if (std::any_of(attachments.begin(), attachments.end(),
                    [&](const Attachment& other) { return other.name == attachment->name; })) {
      in.Fail("attachments", "names `" + attachment->name + "` twice");
    }
    attachments.push_back(std::move(*attachment));
  }
  return attachments;
}

// What changes machines names each of them; what only looks need not, and a stop is for whoever has
// begun.
std::optional<Audience> DecodeActionAudience(json::ObjectReader& in, Kind kind) {
  const json::object* fields = in.OptionalObject("audience");
  if (fields == nullptr) {
    if (ChangesSomething(kind)) {
      in.Fail("audience", "is missing; an action of kind " + std::string(KindName(kind)) +
                              " names the machines it is for");
    }
    return std::nullopt;
  }
  if (kind == Kind::kStop) in.Fail("audience", "a stop has none");
  auto audience = DecodeAudience(*fields, "audience");
  if (!audience) {
    in.Fail(std::move(audience).error());
    return std::nullopt;
  }
  return *audience;
}

void AddText(json::object& fields, std::string_view key, const std::string& text) {
  if (!text.empty()) fields[key] = text;
}

}  // namespace

Expected<Action> DecodeAction(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("action");
  for (const std::string_view later : kLaterFields) {
    if (fields->contains(later)) {
      return Error(Errc::kUnsupported,
                   "action: " + std::string(later) + ": is not supported by this version");
    }
  }

  json::ObjectReader in(*fields, "");
  Action action;
  // The kind first: what is asked for must be known before its parts can be judged.
  auto kind = ParseKind(in.String("kind"));
  if (kind) {
    action.kind = *kind;
  } else {
    in.Fail(std::move(kind).error().During("kind"));
  }
  action.id = ReadId<ActionId>(in, "id");
  action.org = ReadId<OrgId>(in, "org");
  action.name = ReadText(in, "name", kMaxNameBytes);
  action.target = ReadText(in, "target", kMaxTargetBytes);
  if (in.ok()) {
    if (auto target = Target::Parse(action.target); !target) {
      in.Fail(Error(Errc::kInvalid, target.error().message()));
    }
  }
  action.validfrom = in.Time("validfrom");
  action.expireafter = in.Time("expireafter");
  if (in.ok() && action.validfrom > action.expireafter) {
    in.Fail("expireafter", "lies before validfrom");
  }
  const json::array none;
  const json::array* items =
      action.kind == Kind::kStop ? in.OptionalArray("operations") : in.Array("operations");
  if (in.ok()) {
    auto operations = DecodeOperations(items != nullptr ? *items : none, action.kind);
    if (operations) {
      action.operations = std::move(*operations);
    } else {
      in.Fail(std::move(operations).error());
    }
  }
  if (const json::object* limits = in.OptionalObject("limits")) {
    auto decoded = DecodeLimits(*limits, "limits");
    if (decoded) {
      action.limits = *decoded;
    } else {
      in.Fail(std::move(decoded).error());
    }
  }
  action.policy = in.OptionalUint64("policy", 0);
  if (action.kind == Kind::kStop) {
    action.stops = ReadId<ActionId>(in, "stops");
  } else if (in.OptionalAny("stops") != nullptr) {
    in.Fail("stops", "stands only in an action of kind stop");
  }
  action.audience = DecodeActionAudience(in, action.kind);
  action.attachments = DecodeAttachments(in);
  if (action.kind == Kind::kStop && !action.attachments.empty()) {
    in.Fail("attachments", "a stop has none");
  }
  action.description = DecodeDescription(in);
  action.threat = DecodeThreat(in);
  action.reason = in.OptionalString("reason");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("action");
  return action;
}

Bytes EncodeAction(const Action& action) {
  json::object fields = {{"id", action.id.Text()},
                         {"org", action.org.Text()},
                         {"kind", KindName(action.kind)},
                         {"name", action.name},
                         {"target", action.target},
                         {"validfrom", FormatRfc3339(action.validfrom)},
                         {"expireafter", FormatRfc3339(action.expireafter)}};
  if (action.kind != Kind::kStop) {
    json::array operations;
    for (const Operation& operation : action.operations) {
      operations.push_back(
          json::object{{"module", operation.module}, {"parameters", operation.parameters}});
    }
    fields["operations"] = std::move(operations);
    fields["limits"] = EncodeLimits(action.limits);
  }
  fields["policy"] = json::FromUint(action.policy);
  if (action.stops) fields["stops"] = action.stops->Text();
  if (action.audience) fields["audience"] = EncodeAudience(*action.audience);
  if (!action.attachments.empty()) {
    json::array attachments;
    for (const Attachment& attachment : action.attachments) {
      attachments.push_back(json::object{{"name", attachment.name},
                                         {"sha256", EncodeHex(attachment.sha256)},
                                         {"bytes", json::FromUint(attachment.bytes)}});
    }
    fields["attachments"] = std::move(attachments);
  }

  json::object description;
  AddText(description, "author", action.description.author);
  AddText(description, "email", action.description.email);
  AddText(description, "url", action.description.url);
  if (action.description.revision != 0) {
    description["revision"] = json::FromUint(action.description.revision);
  }
  if (!description.empty()) fields["description"] = std::move(description);

  json::object threat;
  AddText(threat, "ref", action.threat.ref);
  AddText(threat, "level", action.threat.level);
  AddText(threat, "family", action.threat.family);
  AddText(threat, "type", action.threat.type);
  if (!threat.empty()) fields["threat"] = std::move(threat);

  AddText(fields, "reason", action.reason);
  return json::Write(fields);
}

}  // namespace mig
