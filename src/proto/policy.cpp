#include "proto/policy.h"

#include <algorithm>

#include "proto/id_field.h"
#include "proto/strict_document.h"
#include "util/json.h"

namespace mig {
namespace {

constexpr std::size_t kMaxRootKeys = 64;
constexpr std::size_t kMaxPersonKeys = 16;
constexpr std::size_t kMaxNameLength = 256;
constexpr std::int64_t kMaxWeight = 1'000'000;  // 32 of them never overflow a sum
constexpr std::size_t kMaxFreshnessKeys = 8;
constexpr std::size_t kMaxTaggedAgents = 1000;  // more belongs into grants
constexpr std::chrono::minutes kShortestFreshness{1};
constexpr std::chrono::hours kLongestFreshness{24};

bool IsWord(std::string_view text, std::size_t most, std::string_view marks) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

// Absolute and in its only form, so that "below this path" has one meaning: no empty level, no
// "." or "..", no slash at the end.
bool IsPlainPath(std::string_view path) {
  if (path == "/") return true;
  if (path.empty() || path[0] != '/' || path.find('\0') != std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view level = path.substr(0, path.find('/'));
    if (level.empty() || level == "." || level == "..") return false;
    path.remove_prefix(level.size());
  }
  return true;
}

Expected<Person> DecodePerson(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
  json::ObjectReader in(item.get_object(), where);
  Person person;
  person.id = in.String("id");
  if (!IsWord(person.id, 64, "._-")) in.Fail("id", "is not 1..64 characters of a-z 0-9 . _ -");
  person.name = in.String("name");
  if (person.name.empty() || person.name.size() > kMaxNameLength) {
    in.Fail("name", "has not 1..256 bytes");
  }
  const std::string status = in.String("status");
  if (status != "active" && status != "disabled") {
    in.Fail("status", "is neither active nor disabled");
  }
  person.active = status == "active";
  person.keys = DecodeKeys(in, kMaxPersonKeys);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return person;
}

Constraints DecodeConstraints(json::ObjectReader& outer) {
  Constraints constraints;
  const json::object* fields = outer.OptionalObject("constraints");
  if (fields == nullptr) return constraints;
  json::ObjectReader in(*fields, outer.Where("constraints"));
  if (const json::array* paths = in.OptionalArray("paths")) {
    // An empty list would read as "no path at all" to one person and as "any" to another.
    if (paths->empty()) in.Fail("paths", "is empty: name a path, or leave the field out");
    for (const json::value& item : *paths) {
      auto path = json::ToName(item);
      if (!path || !IsPlainPath(*path)) {
        in.Fail("paths", "has an element that is not an absolute path without . and ..");
        break;
      }
      constraints.paths.push_back(std::move(*path));
    }
  }
  if (const json::object* parameters = in.OptionalObject("parameters")) {
    json::ObjectReader inner(*parameters, in.Where("parameters"));
    for (const auto& member : *parameters) {
      auto values = inner.OptionalStrings(member.key());
      if (values.empty()) inner.Fail(member.key(), "names no allowed value");
      constraints.parameters.emplace(member.key(), std::move(values));
    }
    if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  }
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return constraints;
}

std::map<std::string, std::uint32_t> DecodeWeights(json::ObjectReader& in,
                                                   const std::vector<Person>& people) {
  std::map<std::string, std::uint32_t> decoded;
  const json::object* weights = in.Object("weights");
  if (weights == nullptr) return decoded;
  json::ObjectReader inner(*weights, in.Where("weights"));
  for (const auto& member : *weights) {
    const std::string person(member.key());
    // A misspelt person would silently weigh nothing.
    if (std::none_of(people.begin(), people.end(),
                     [&](const Person& p) { return p.id == person; })) {
      inner.Fail(person, "is nobody's id among the people");
    }
    decoded[person] = static_cast<std::uint32_t>(inner.Integer(person, 0, kMaxWeight));
  }
  if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  return decoded;
}

std::uint32_t DecodeMinimum(json::ObjectReader& in) {
  return static_cast<std::uint32_t>(in.Integer("minimumweight", 1, kMaxWeight));
}

Expected<ModuleRule> DecodeRule(const json::object& fields, const std::string& where,
                                const std::vector<Person>& people) {
  json::ObjectReader in(fields, where);
  ModuleRule rule;
  rule.minimumweight = DecodeMinimum(in);
  rule.weights = DecodeWeights(in, people);
  rule.constraints = DecodeConstraints(in);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return rule;
}

json::object EncodeWeights(const std::map<std::string, std::uint32_t>& weights) {
  json::object fields;
  for (const auto& [person, weight] : weights) fields[person] = weight;
  return fields;
}

json::object EncodeRule(const ModuleRule& rule) {
  json::object constraints;
  if (!rule.constraints.paths.empty()) {
    json::array paths;
    for (const std::string& path : rule.constraints.paths) paths.push_back(json::FromName(path));
    constraints["paths"] = std::move(paths);
  }
  if (!rule.constraints.parameters.empty()) {
    json::object parameters;
    for (const auto& [name, allowed] : rule.constraints.parameters) {
      parameters[name] = json::array(allowed.begin(), allowed.end());
    }
    constraints["parameters"] = std::move(parameters);
  }
  json::object fields = {{"minimumweight", rule.minimumweight},
                         {"weights", EncodeWeights(rule.weights)}};
  if (!constraints.empty()) fields["constraints"] = std::move(constraints);
  return fields;
}

// Owners of key material: whoever could sign as two would weigh twice.
using Owners = std::map<Bytes, std::string>;

std::vector<Person> DecodePeople(json::ObjectReader& in, Owners& owners) {
  std::vector<Person> people;
  const json::array* items = in.Array("people");
  if (items == nullptr) return people;
  std::set<std::string> ids;
  for (const json::value& item : *items) {
    auto person = DecodePerson(item, "people[" + std::to_string(people.size()) + "]");
    if (!person) {
      in.Fail(std::move(person).error());
      break;
    }
    if (!ids.insert(person->id).second) in.Fail("people", "has `" + person->id + "` twice");
    for (const DocumentKey& key : person->keys) {
      const auto [owner, is_new] = owners.emplace(Bytes(MaterialOf(key)), person->id);
      if (!is_new) {
        in.Fail("people", "has one key with `" + owner->second + "` and with `" + person->id + "`");
      }
    }
    people.push_back(std::move(*person));
  }
  return people;
}

std::map<std::string, ModuleRule> DecodeRules(json::ObjectReader& in,
                                              const std::vector<Person>& people) {
  std::map<std::string, ModuleRule> rules;
  const json::object* fields = in.Object("modules");
  if (fields == nullptr) return rules;
  for (const auto& member : *fields) {
    const std::string name(member.key());
    const std::string where = "modules." + name;
    if (!IsWord(name, 32, "-") || !member.value().is_object()) {
      in.Fail("modules", "`" + name + "` is not a module's name with its rule");
      break;
    }
    auto rule = DecodeRule(member.value().get_object(), where, people);
    if (!rule) {
      in.Fail(std::move(rule).error());
      break;
    }
    rules.emplace(name, std::move(*rule));
  }
  return rules;
}

std::map<Kind, ModuleRule> DecodeKinds(json::ObjectReader& in, const std::vector<Person>& people) {
  std::map<Kind, ModuleRule> rules;
  const json::object* fields = in.OptionalObject("kinds");
  if (fields == nullptr) return rules;
  for (const auto& member : *fields) {
    auto kind = ParseKind(member.key());
    if (!kind || *kind == Kind::kStop || !member.value().is_object()) {
      in.Fail("kinds", "`" + std::string(member.key()) +
                           "` is not investigate, respond or admin with its rule");
      break;
    }
    auto rule =
        DecodeRule(member.value().get_object(), "kinds." + std::string(member.key()), people);
    if (!rule) {
      in.Fail(std::move(rule).error());
      break;
    }
    rules.emplace(*kind, std::move(*rule));
  }
  return rules;
}

std::optional<EnrolmentRule> DecodeEnrolment(json::ObjectReader& outer,
                                             const std::vector<Person>& people) {
  const json::object* fields = outer.OptionalObject("enrolment");
  if (fields == nullptr) return std::nullopt;
  json::ObjectReader in(*fields, "enrolment");
  EnrolmentRule rule{DecodeMinimum(in), DecodeWeights(in, people)};
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return rule;
}

std::optional<FreshnessRule> DecodeFreshnessRule(json::ObjectReader& outer, Owners& owners) {
  const json::object* fields = outer.OptionalObject("freshness");
  if (fields == nullptr) return std::nullopt;
  json::ObjectReader in(*fields, "freshness");
  FreshnessRule rule;
  rule.keys = DecodeKeys(in, kMaxFreshnessKeys);
  if (in.ok() && rule.keys.empty()) in.Fail("keys", "names no key: leave `freshness` out instead");
  for (const DocumentKey& key : rule.keys) {
    const auto [owner, is_new] = owners.emplace(Bytes(MaterialOf(key)), "freshness");
    // It lies on a machine that signs by itself; a person's key must not.
    if (!is_new) in.Fail("keys", "has a key of `" + owner->second + "`; make one of its own");
  }
  if (in.Has("age")) {
    auto age = ParseDuration(in.String("age"));
    if (age && *age >= kShortestFreshness && *age <= kLongestFreshness) {
      rule.age = *age;
    } else {
      in.Fail("age", "is not a duration of 1m..24h");
    }
  }
  if (auto ok = in.Finish(); !ok) outer.Fail(std::move(ok).error());
  return rule;
}

std::map<AgentId, Tags> DecodeAgentTags(json::ObjectReader& in) {
  std::map<AgentId, Tags> tags;
  const json::object* fields = in.OptionalObject("tags");
  if (fields == nullptr) return tags;
  if (fields->size() > kMaxTaggedAgents) in.Fail("tags", "names more than 1000 agents; use grants");
  for (const auto& member : *fields) {
    auto agent = AgentId::Parse(member.key());
    if (!agent || !member.value().is_object()) {
      in.Fail("tags", "`" + std::string(member.key()) + "` is not an agent's id with its tags");
      break;
    }
    auto decoded = DecodeTags(member.value().get_object(), "tags." + std::string(member.key()));
    if (!decoded) {
      in.Fail(std::move(decoded).error());
      break;
    }
    tags.emplace(*agent, std::move(*decoded));
  }
  return tags;
}

std::map<Kind, std::chrono::milliseconds> DecodeValidity(json::ObjectReader& in) {
  std::map<Kind, std::chrono::milliseconds> validity;
  const json::object* fields = in.Object("validity");
  if (fields == nullptr) return validity;
  json::ObjectReader inner(*fields, "validity");
  for (const auto& member : *fields) {
    auto duration = ParseDuration(inner.String(member.key()));
    if (!duration || duration->count() == 0) {
      inner.Fail(member.key(), "is not a duration like 24h");
      break;
    }
    auto kind = ParseKind(member.key());
    if (!kind) {
      inner.Fail(std::move(kind).error().During("validity"));
      break;
    }
    if (*kind == Kind::kStop) inner.Fail("stop", "has no bound: a stop may always be given");
    validity.emplace(*kind, *duration);
  }
  if (auto ok = inner.Finish(); !ok) in.Fail(std::move(ok).error());
  return validity;
}

std::set<KeyId> DecodeRevoked(json::ObjectReader& in) {
  std::set<KeyId> revoked;
  for (const std::string& text : in.OptionalStrings("revoked")) {
    auto id = KeyId::Parse(text);
    if (!id) {
      in.Fail("revoked", id.error().message());
      break;
    }
    revoked.insert(*id);
  }
  return revoked;
}

}  // namespace

Expected<Root> DecodeRoot(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("root");
  json::ObjectReader in(*fields, "");
  Root root;
  root.version = in.Uint64("version");
  if (root.version == 0) in.Fail("version", "counts from 1");
  root.keys = DecodeKeys(in, kMaxRootKeys);
  root.threshold = static_cast<std::uint32_t>(
      in.Integer("threshold", 1, static_cast<std::int64_t>(kMaxRootKeys)));
  if (root.threshold > root.keys.size()) in.Fail("threshold", "is above the number of keys");
  root.issued = in.Time("issued");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("root");
  return root;
}

Bytes EncodeRoot(const Root& root) {
  return json::Write(json::object{{"version", json::FromUint(root.version)},
                                  {"threshold", root.threshold},
                                  {"keys", EncodeKeys(root.keys)},
                                  {"issued", FormatRfc3339(root.issued)}});
}

Expected<Policy> DecodePolicy(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("policy");
  json::ObjectReader in(*fields, "");
  Policy policy;
  policy.org = ReadId<OrgId>(in, "org");
  policy.version = in.Uint64("version");
  if (policy.version == 0) in.Fail("version", "counts from 1");
  policy.issued = in.Time("issued");
  policy.expires = in.Time("expires");
  if (in.ok() && policy.issued > policy.expires) in.Fail("expires", "lies before issued");
  Owners owners;
  policy.people = DecodePeople(in, owners);
  policy.modules = DecodeRules(in, policy.people);
  policy.kinds = DecodeKinds(in, policy.people);
  policy.enrolment = DecodeEnrolment(in, policy.people);
  policy.freshness = DecodeFreshnessRule(in, owners);
  policy.tags = DecodeAgentTags(in);
  if (const json::object* ceilings = in.Object("ceilings")) {
    auto decoded = DecodeLimits(*ceilings, "ceilings");
    if (decoded) {
      policy.ceilings = *decoded;
    } else {
      in.Fail(std::move(decoded).error());
    }
  }
  policy.validity = DecodeValidity(in);
  policy.revoked = DecodeRevoked(in);
  const std::string sandbox = in.OptionalString("sandbox", "any");
  if (sandbox != "any" && sandbox != "full") in.Fail("sandbox", "is neither any nor full");
  policy.require_full_sandbox = sandbox == "full";
  if (auto ok = in.Finish(); !ok) return std::move(ok).error().During("policy");
  return policy;
}

Bytes EncodePolicy(const Policy& policy) {
  json::array people;
  for (const Person& person : policy.people) {
    people.push_back(json::object{{"id", person.id},
                                  {"name", person.name},
                                  {"status", person.active ? "active" : "disabled"},
                                  {"keys", EncodeKeys(person.keys)}});
  }
  json::object modules;
  for (const auto& [name, rule] : policy.modules) modules[name] = EncodeRule(rule);
  json::object validity;
  for (const auto& [kind, longest] : policy.validity) {
    validity[KindName(kind)] = FormatDuration(longest);
  }
  json::array revoked;
  for (const KeyId& key : policy.revoked) revoked.push_back(json::value(key.Text()));
  json::object fields = {{"org", policy.org.Text()},
                         {"version", json::FromUint(policy.version)},
                         {"issued", FormatRfc3339(policy.issued)},
                         {"expires", FormatRfc3339(policy.expires)},
                         {"people", std::move(people)},
                         {"modules", std::move(modules)}};
  if (!policy.kinds.empty()) {
    json::object kinds;
    for (const auto& [kind, rule] : policy.kinds) kinds[KindName(kind)] = EncodeRule(rule);
    fields["kinds"] = std::move(kinds);
  }
  fields["ceilings"] = EncodeLimits(policy.ceilings);
  fields["validity"] = std::move(validity);
  fields["revoked"] = std::move(revoked);
  fields["sandbox"] = policy.require_full_sandbox ? "full" : "any";
  if (policy.enrolment) {
    fields["enrolment"] = json::object{{"minimumweight", policy.enrolment->minimumweight},
                                       {"weights", EncodeWeights(policy.enrolment->weights)}};
  }
  if (policy.freshness) {
    fields["freshness"] = json::object{{"keys", EncodeKeys(policy.freshness->keys)},
                                       {"age", FormatDuration(policy.freshness->age)}};
  }
  if (!policy.tags.empty()) {
    json::object tags;
    for (const auto& [agent, given] : policy.tags) tags[agent.Text()] = EncodeTags(given);
    fields["tags"] = std::move(tags);
  }
  return json::Write(fields);
}

}  // namespace mig
