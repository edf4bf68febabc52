#include "cli/policy_draft.h"

#include "cli/key_line.h"
#include "util/clock.h"
#include "util/encoding.h"
#include "util/json.h"
#include "util/text.h"
#include "util/yaml.h"

namespace mig::cli {
namespace {

constexpr std::chrono::hours kDefaultExpiry{90 * 24};

constexpr std::string_view kHeader =
    "# Who may order what. docs/policy.md explains each field; `mig policy check FILE` reads this\n"
    "# file, `mig policy sign` shows what it changes and signs it, `mig policy publish` sends "
    "it.\n";

// [LINE, …] as [{type, key}, …].
Expected<json::array> KeysOf(const json::value& lines, const std::string& where) {
  if (!lines.is_array()) return Error(Errc::kInvalid, where + ": is not a list of public lines");
  json::array keys;
  for (const json::value& item : lines.get_array()) {
    const std::string place = where + "[" + std::to_string(keys.size()) + "]";
    if (!item.is_string()) return Error(Errc::kInvalid, place + ": is not a public line");
    auto line = ReadKeyLine(item.get_string());
    if (!line) return std::move(line).error().During(place);
    keys.push_back(json::object{{"type", line->key.type}, {"key", EncodeBase64(line->key.key)}});
  }
  return keys;
}

// {ID: {name, keys, status}} as [{id, name, status, keys}].
Expected<json::array> PeopleOf(const json::value& people) {
  if (!people.is_object()) {
    return Error(Errc::kInvalid, "people: expected an id for each person, as in `ann: {name: …}`");
  }
  json::array list;
  for (const auto& member : people.get_object()) {
    const std::string where = "people." + std::string(member.key());
    if (!member.value().is_object()) {
      return Error(Errc::kInvalid, where + ": expected name and keys");
    }
    json::object person{{"id", member.key()}};
    for (const auto& field : member.value().get_object()) person[field.key()] = field.value();
    if (!person.contains("status")) person["status"] = "active";
    const json::value* lines = person.if_contains("keys");
    auto keys = KeysOf(lines == nullptr ? json::value(json::array()) : *lines, where + ".keys");
    if (!keys) return std::move(keys).error();
    person["keys"] = std::move(*keys);
    list.push_back(std::move(person));
  }
  return list;
}

// A duration counts from the issue; RFC 3339 is that time.
Expected<UtcTime> ExpiryOf(const json::value* value, UtcTime issued) {
  if (value == nullptr) return issued + kDefaultExpiry;
  if (value->is_string()) {
    const std::string text(value->get_string());
    if (auto duration = ParseDuration(text)) return issued + *duration;
    if (auto time = ParseRfc3339(text)) return *time;
  }
  return Error(Errc::kInvalid,
               "expires: is neither a duration like 90d nor a time like 2027-01-31T12:00:00Z");
}

std::map<Kind, std::chrono::milliseconds> UsualValidity() {
  return {{Kind::kInvestigate, std::chrono::hours(24)},
          {Kind::kRespond, std::chrono::hours(1)},
          {Kind::kAdmin, std::chrono::hours(1)}};
}

}  // namespace

Expected<Policy> ReadPolicyDraft(std::string_view text, const std::string& name,
                                 const DraftFacts& facts) {
  auto yaml = ParseYaml(text, name);
  if (!yaml) return std::move(yaml).error();
  if (!yaml->is_object()) {
    return Error(Errc::kMalformed, name + ": expected `people:` and the other fields of a policy");
  }
  // Into the form that agents read, so that one decoder has all the rules.
  json::object fields = std::move(yaml->get_object());
  const auto refuse = [&](Error error) { return std::move(error).During(name); };
  for (const char* stated : {"org", "version", "issued"}) {
    if (fields.contains(stated)) {
      return refuse(Error(Errc::kUnsupported, std::string(stated) +
                                                  ": is added when the draft is signed; leave it "
                                                  "out"));
    }
  }
  const json::value* people = fields.if_contains("people");
  auto list = PeopleOf(people == nullptr ? json::value(json::object()) : *people);
  if (!list) return refuse(std::move(list).error());
  fields["people"] = std::move(*list);
  auto expires = ExpiryOf(fields.if_contains("expires"), facts.issued);
  if (!expires) return refuse(std::move(expires).error());
  fields["expires"] = FormatRfc3339(*expires);
  if (json::value* freshness = fields.if_contains("freshness");
      freshness != nullptr && freshness->is_object()) {
    if (json::value* lines = freshness->get_object().if_contains("keys")) {
      auto keys = KeysOf(*lines, "freshness.keys");
      if (!keys) return refuse(std::move(keys).error());
      *lines = std::move(*keys);
    }
  }
  // Blocks that are there and empty (`modules:` and nothing below) mean the same as `{}`.
  for (const char* block : {"modules", "kinds", "tags", "ceilings"}) {
    if (json::value* value = fields.if_contains(block); value != nullptr && value->is_null()) {
      *value = json::object();
    }
  }
  if (!fields.contains("modules")) fields["modules"] = json::object();
  if (!fields.contains("ceilings")) fields["ceilings"] = json::object();
  if (!fields.contains("validity")) {
    json::object validity;
    for (const auto& [kind, longest] : UsualValidity()) {
      validity[KindName(kind)] = FormatDuration(longest);
    }
    fields["validity"] = std::move(validity);
  }
  if (const json::value* revoked = fields.if_contains("revoked");
      revoked != nullptr && revoked->is_null()) {
    fields.erase("revoked");
  }
  fields["org"] = facts.org.Text();
  fields["version"] = json::FromUint(facts.version);
  fields["issued"] = FormatRfc3339(facts.issued);
  auto policy = DecodePolicy(json::Write(fields));
  if (!policy) return refuse(std::move(policy).error());
  return policy;
}

std::string WritePolicyDraft(const Policy& policy) {
  auto parsed = json::ParseObject(EncodePolicy(policy));
  const json::object encoded = std::move(parsed).value();  // we have just written it
  json::object draft;
  draft["expires"] = FormatDuration(policy.expires - policy.issued);
  const auto lines = [](const std::vector<DocumentKey>& keys, std::string_view name) {
    json::array list;
    for (const DocumentKey& key : keys) list.emplace_back(WriteKeyLine(key, name));
    return list;
  };
  json::object people;
  for (const Person& person : policy.people) {
    json::object fields{{"name", person.name}};
    if (!person.active) fields["status"] = "disabled";
    fields["keys"] = lines(person.keys, person.name);
    people[person.id] = std::move(fields);
  }
  draft["people"] = std::move(people);
  for (const char* field : {"kinds", "modules", "validity", "ceilings", "sandbox", "revoked",
                            "enrolment", "freshness", "tags"}) {
    if (const json::value* value = encoded.if_contains(field)) draft[field] = *value;
  }
  if (policy.freshness) {
    draft["freshness"] = json::object{{"keys", lines(policy.freshness->keys, "freshness")},
                                      {"age", FormatDuration(policy.freshness->age)}};
  }
  return std::string(kHeader) + WriteYaml(draft);
}

Policy FirstPolicy(const OrgId& org, const Person& person, UtcTime issued) {
  Policy policy;
  policy.org = org;
  policy.issued = issued;
  policy.expires = issued + kDefaultExpiry;
  policy.people = {person};
  policy.kinds[Kind::kInvestigate] = ModuleRule{1, {{person.id, 1}}, {}};
  policy.kinds[Kind::kRespond] = ModuleRule{2, {{person.id, 1}}, {}};
  policy.kinds[Kind::kAdmin] = ModuleRule{2, {{person.id, 1}}, {}};
  policy.validity = UsualValidity();
  policy.enrolment = EnrolmentRule{1, {{person.id, 1}}};
  return policy;
}

Expected<void> SetField(json::value& draft, std::string_view path,
                        const std::optional<std::string>& value) {
  json::value* place = &draft;
  const std::vector<std::string_view> names = Split(path, '.');
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string done(Join(std::vector<std::string>(names.begin(), names.begin() + i), "."));
    if (place->is_null()) *place = json::object();
    if (!place->is_object() || names[i].empty()) {
      return Error(Errc::kInvalid, "`" + std::string(path) + "`: `" + done +
                                       "` has no fields; a path is names joined by dots");
    }
    json::object& fields = place->get_object();
    if (!value && !fields.contains(names[i])) {
      return Error(Errc::kNotFound, "`" + std::string(path) + "` is not in the draft");
    }
    if (i + 1 < names.size()) {
      place = &fields[names[i]];
    } else if (value) {
      auto parsed = ParseYaml(*value, "the value of " + std::string(path));
      if (!parsed) return std::move(parsed).error();
      fields[names[i]] = std::move(*parsed);
    } else {
      fields.erase(names[i]);
    }
  }
  return {};
}

}  // namespace mig::cli
