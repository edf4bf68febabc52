#include "roles/agent/self_facts.h"

#include <algorithm>
#include <memory>

#include "trust/agent_tags.h"

#include "proto/attachment_references.h"

namespace mig::agent {
namespace {

using Fact = std::optional<std::optional<std::string>>;

const Fact kUnknown = std::nullopt;
const Fact kAbsent = Fact(std::optional<std::string>());

Fact Known(std::string text) { return Fact(std::optional<std::string>(std::move(text))); }

// As the store's ->> operator gives it: a text as it is, anything else as JSON.
Fact EnvironmentFact(const Environment& environment, std::string_view key) {
  const json::object fields = EncodeEnvironment(environment);
  const json::value* v = fields.if_contains(key);
  if (v == nullptr) return kAbsent;
  return Known(v->is_string() ? std::string(v->get_string()) : json::Write(*v));
}

bool NamesPaths(const Parameter& parameter) {
  return parameter.field == "path" || parameter.field == "paths";
}

// Of one search, or of the parameters as a whole.
Expected<void> AddPaths(const Parameter& parameter, const json::object& fields,
                        std::vector<std::string>& paths) {
  const json::value* v = fields.if_contains(parameter.field);
  if (v == nullptr || v->is_null() || (v->is_array() && v->get_array().empty())) {
    if (!parameter.absent.empty()) paths.emplace_back(parameter.absent);
    return {};
  }
  const auto add = [&](const json::value& item) -> Expected<void> {
    auto path = json::ToName(item);
    if (!path) {
      return std::move(path).error().During(parameter.field);
    }
    paths.push_back(std::move(*path));
    return {};
  };
  if (!v->is_array()) return add(*v);
  for (const json::value& item : v->get_array()) {
    if (AttachmentReference(item)) continue;
    if (auto ok = add(item); !ok) return ok;
  }
  return {};
}

}  // namespace

Target::Facts FactsAbout(const Self& self, const TrustedPolicy* policy, UtcTime now) {
  Target::Facts facts;
  // Verified when the first target asks for a tag: most do not.
  auto tags = std::make_shared<std::optional<AgentTags>>();
  facts.value = [&self, policy, tags](std::string_view field, std::string_view key) -> Fact {
    if (field == "id") return Known(self.id.Text());
    if (field == "name") return Known(self.name);
    if (field == "version") return Known(self.version);
    if (field == "environment") return EnvironmentFact(self.environment, key);
    if (field == "tags") {
      if (policy == nullptr) return kUnknown;
      if (!*tags) {
        *tags = self.granted
                    ? TagsOf(self.id, &self.granted->grant, self.granted->token_hash, *policy)
                    : TagsOf(self.id, nullptr, {}, *policy);
      }
      const auto found = (*tags)->known.find(std::string(key));
      if (found != (*tags)->known.end()) return Known(found->second);
      return (*tags)->complete ? kAbsent : kUnknown;
    }
    return kUnknown;
  };
  facts.found = [](const ActionId&) { return Truth::kUnknown; };
  facts.notfound = [](const ActionId&) { return Truth::kUnknown; };
  facts.now = now;
  return facts;
}

Expected<std::vector<std::string>> PathsOf(const Module& module, const json::object& parameters) {
  std::vector<std::string> paths;
  for (const Parameter& parameter : module.parameters) {
    if (!NamesPaths(parameter)) continue;
    if (module.layout == Layout::kFlat) {
      if (auto ok = AddPaths(parameter, parameters, paths); !ok) return std::move(ok).error();
      continue;
    }
    const json::value* searches = parameters.if_contains("searches");
    if (searches == nullptr || !searches->is_object()) {
      return Error(Errc::kInvalid, "searches: is not an object");
    }
    for (const auto& search : searches->get_object()) {
      if (!search.value().is_object()) {
        return Error(Errc::kInvalid,
                     "searches." + std::string(search.key()) + ": is not an object");
      }
      if (auto ok = AddPaths(parameter, search.value().get_object(), paths); !ok) {
        return std::move(ok).error().During("searches." + std::string(search.key()));
      }
    }
  }
  return paths;
}

std::optional<ModuleFacts> FactsOfModule(std::string_view name) {
  const Module* module = FindModule(name);
  if (module == nullptr) return std::nullopt;
  ModuleFacts facts;
  facts.kind = module->kind;
  facts.needs_sandbox = true;  // every module runs in one, whatever its rights
  facts.paths = [module](const json::object& parameters) { return PathsOf(*module, parameters); };
  facts.check_parameters = [module](const json::object& parameters) {
    return CheckParameters(*module, parameters);
  };
  return facts;
}

}  // namespace mig::agent
