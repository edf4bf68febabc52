#include "proto/attachment_references.h"

#include "util/text.h"

namespace mig {
namespace {

constexpr std::string_view kField = "attachment";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// `visit` for each element of each list, at any depth.
template <typename Visit>
void EachElement(const json::value& v, const Visit& visit) {
  if (v.is_array()) {
    for (const json::value& item : v.get_array()) {
      visit(item);
      EachElement(item, visit);
    }
  } else if (v.is_object()) {
    for (const auto& member : v.get_object()) EachElement(member.value(), visit);
  }
}

std::string Shown(std::string_view name) {
  return "attachment `" + EscapeForTerminal(Utf8Prefix(name, 64)) + "`";
}

class Expansion {
 public:
  explicit Expansion(const AttachmentLookup& lookup) : lookup_(lookup) {}

  Expected<json::value> Expand(const json::value& v) {
    if (v.is_object()) {
      json::object copy;
      copy.reserve(v.get_object().size());
      for (const auto& member : v.get_object()) {
        auto inner = Expand(member.value());
        if (!inner) return inner;
        copy.emplace(member.key(), std::move(*inner));
      }
      return json::value(std::move(copy));
    }
    if (!v.is_array()) return v;
    json::array copy;
    for (const json::value& item : v.get_array()) {
      if (const auto name = AttachmentReference(item)) {
        if (auto added = AddLines(*name, copy); !added) return std::move(added).error();
        continue;
      }
      auto inner = Expand(item);
      if (!inner) return inner;
      copy.push_back(std::move(*inner));
    }
    return json::value(std::move(copy));
  }

 private:
  Expected<void> AddLines(std::string_view name, json::array& list) {
    const auto content = lookup_(name);
    if (!content) return Error(Errc::kNotFound, Shown(name) + ": the action has none of that name");
    auto lines = AttachmentLines(*content);
    if (!lines) return std::move(lines).error().During(Shown(name));
    lines_ += lines->size();
    for (const std::string_view line : *lines) bytes_ += line.size();
    if (lines_ > kMaxAttachmentLines || bytes_ > kMaxExpandedBytes) {
      return Error(Errc::kFull, Shown(name) + ": with it the parameters have more than " +
                                    GroupThousands(kMaxAttachmentLines) + " lines or " +
                                    std::to_string(kMaxExpandedBytes >> 20) + " MiB of lists");
    }
    list.reserve(list.size() + lines->size());
    for (const std::string_view line : *lines) list.emplace_back(line);
    return {};
  }

  const AttachmentLookup& lookup_;
  std::size_t lines_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::optional<std::string_view> AttachmentReference(const json::value& item) {
  const json::object* object = item.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  const json::value* name = object->if_contains(kField);
  if (name == nullptr || !name->is_string()) return std::nullopt;
  return std::string_view(name->get_string());
}

json::value MakeAttachmentReference(std::string_view name) { return json::object{{kField, name}}; }

std::set<std::string> ReferencedAttachments(const json::object& parameters) {
  std::set<std::string> names;
  for (const auto& member : parameters) {
    EachElement(member.value(), [&](const json::value& item) {
      if (const auto name = AttachmentReference(item)) names.emplace(*name);
    });
  }
  return names;
}

Expected<void> CheckAttachmentReferences(const std::vector<Operation>& operations,
                                         const std::vector<Attachment>& attachments) {
  std::set<std::string> unused;
  for (const Attachment& attachment : attachments) unused.insert(attachment.name);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const std::string where = "operations[" + std::to_string(i) + "]: ";
    const std::set<std::string> names = ReferencedAttachments(operations[i].parameters);
    std::uint64_t bytes = 0;
    std::size_t found = 0;
    for (const Attachment& attachment : attachments) {
      if (!names.contains(attachment.name)) continue;
      unused.erase(attachment.name);
      bytes += attachment.bytes;
      ++found;
    }
    for (const std::string& name : names) {
      if (found == names.size()) break;
      bool known = false;
      for (const Attachment& attachment : attachments) known = known || attachment.name == name;
      if (known) continue;
      return Error(Errc::kInvalid, where + Shown(name) + ": the action has none of that name");
    }
    if (bytes > kMaxExpandedBytes) {
      return Error(Errc::kInvalid, where + "its attachments hold more than " +
                                       std::to_string(kMaxExpandedBytes >> 20) + " MiB together");
    }
  }
  if (unused.empty()) return {};
  return Error(Errc::kInvalid, Shown(*unused.begin()) + ": no parameter refers to it");
}

Expected<std::vector<std::string_view>> AttachmentLines(BytesView content) {
  if (!IsUtf8(content)) return Error(Errc::kInvalid, "is not UTF-8 text");
  if (content.find('\0') != BytesView::npos) {
    return Error(Errc::kInvalid, "has a NUL byte, so it is no text");
  }
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == BytesView::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (lines.size() == kMaxAttachmentLines) {
      return Error(Errc::kInvalid,
                   "has more than " + GroupThousands(kMaxAttachmentLines) + " lines");
    }
    lines.push_back(line);
  }
  // An empty list asks for less than its writer meant, and so finds more.
  if (lines.empty()) return Error(Errc::kInvalid, "has no line that counts");
  return lines;
}

Expected<json::object> ExpandAttachments(const json::object& parameters,
                                         const AttachmentLookup& lookup) {
  Expansion expansion(lookup);
  auto expanded = expansion.Expand(parameters);
  if (!expanded) return std::move(expanded).error();
  return std::move(expanded->get_object());
}

}  // namespace mig
