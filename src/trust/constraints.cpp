#include "trust/constraints.h"

#include <algorithm>

#include "proto/attachment_references.h"
#include "util/text.h"

namespace mig {
namespace {

// How a value stands in the policy's list; nothing for what is not one plain value.
std::optional<std::string> PlainText(const json::value& v) {
  if (v.is_string()) return std::string(v.get_string());
  if (v.is_bool() || v.is_int64() || v.is_uint64()) return json::Write(v);
  return std::nullopt;
}

Expected<void> CheckValue(const json::value& v, const std::string& where,
                          const std::vector<std::string>& allowed) {
  if (v.is_array()) {
    // An empty list says as little as an absent one.
    if (v.get_array().empty()) return Error(Errc::kDenied, where + ": must be given");
    for (const json::value& item : v.get_array()) {
      if (AttachmentReference(item)) continue;  // its lines are checked when they are there
      if (item.is_array()) return Error(Errc::kDenied, where + ": is not a plain value");
      if (auto ok = CheckValue(item, where, allowed); !ok) return ok;
    }
    return {};
  }
  const auto text = PlainText(v);
  if (!text) return Error(Errc::kDenied, where + ": is not a plain value");
  if (std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return {};
  return Error(Errc::kDenied,
               where + ": `" + text->substr(0, 128) + "` is not one of " + Join(allowed, ", "));
}

Expected<void> CheckBelow(const json::object& fields, const std::string& where,
                          std::string_view name, const std::vector<std::string>& allowed) {
  const std::size_t dot = name.find('.');
  const std::string_view head = name.substr(0, dot);
  const auto check_member = [&](std::string_view key, const json::value& v) -> Expected<void> {
    const std::string place = where.empty() ? std::string(key) : where + "." + std::string(key);
    if (dot == std::string_view::npos) return CheckValue(v, place, allowed);
    if (!v.is_object()) return Error(Errc::kDenied, place + ": is not an object");
    return CheckBelow(v.get_object(), place, name.substr(dot + 1), allowed);
  };
  if (head == "*") {
    for (const auto& member : fields) {
      if (auto ok = check_member(member.key(), member.value()); !ok) return ok;
    }
    return {};
  }
  const json::value* v = fields.if_contains(head);
  if (v == nullptr) {
    const std::string place = where.empty() ? std::string(name) : where + "." + std::string(name);
    return Error(Errc::kDenied, place + ": must be given, as one of " + Join(allowed, ", "));
  }
  return check_member(head, *v);
}

}  // namespace

Expected<std::vector<std::string>> PathComponents(std::string_view path) {
  const std::string shown = "`" + std::string(path.substr(0, 256)) + "`";
  if (!path.starts_with('/')) return Error(Errc::kInvalid, shown + " is not an absolute path");
  if (path.find('\0') != std::string_view::npos) {
    return Error(Errc::kInvalid, shown + " has a NUL byte");
  }
  std::vector<std::string> components;
  for (const std::string_view component : Split(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == "..") return Error(Errc::kInvalid, shown + " goes up with `..`");
    components.emplace_back(component);
  }
  return components;
}

bool LiesBelow(const std::vector<std::string>& path, const std::vector<std::string>& root) {
  return path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin());
}

Expected<void> CheckPaths(const std::vector<std::string>& roots,
                          const std::vector<std::string>& paths) {
  std::vector<std::vector<std::string>> allowed;
  for (const std::string& root : roots) {
    auto components = PathComponents(root);
    if (!components) {
      return Error(Errc::kDenied, "the policy's path " + components.error().message());
    }
    allowed.push_back(std::move(*components));
  }
  for (const std::string& path : paths) {
    const auto components = PathComponents(path);
    if (!components) return Error(Errc::kDenied, components.error().message());
    const bool below = std::any_of(allowed.begin(), allowed.end(),
                                   [&](const auto& root) { return LiesBelow(*components, root); });
    if (!below) {
      return Error(Errc::kDenied,
                   "`" + path.substr(0, 256) + "` is not below " + Join(roots, " or "));
    }
  }
  return {};
}

Expected<void> CheckParameter(const json::object& parameters, std::string_view name,
                              const std::vector<std::string>& allowed) {
  return CheckBelow(parameters, "", name, allowed);
}

Expected<void> CheckConstraints(const Constraints& constraints, const json::object& parameters,
                                const PathsFunction& paths_of) {
  if (!constraints.paths.empty() && paths_of) {
    auto paths = paths_of(parameters);
    if (!paths) return std::move(paths).error();
    if (auto ok = CheckPaths(constraints.paths, *paths); !ok) return ok;
  }
  for (const auto& [name, allowed] : constraints.parameters) {
    if (auto ok = CheckParameter(parameters, name, allowed); !ok) return ok;
  }
  return {};
}

}  // namespace mig
