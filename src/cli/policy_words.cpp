#include "cli/policy_words.h"

#include <algorithm>
#include <functional>

#include "cli/key_line.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::size_t kIdLetters = 12;

using Words = std::vector<std::string>;
using Weights = std::map<std::string, std::uint32_t>;

std::string Short(const KeyId& id) { return id.Text().substr(0, kIdLetters) + "…"; }

const Person* Find(const Policy& policy, std::string_view id) {
  const auto found = std::find_if(policy.people.begin(), policy.people.end(),
                                  [&](const Person& person) { return person.id == id; });
  return found == policy.people.end() ? nullptr : &*found;
}

std::string Called(const Person& person) { return person.id + " (" + person.name + ")"; }

bool CanSign(const Policy& policy, const std::string& id) {
  const Person* person = Find(policy, id);
  return person != nullptr && person->active &&
         std::any_of(person->keys.begin(), person->keys.end(),
                     [&](const DocumentKey& key) { return !policy.revoked.contains(IdOf(key)); });
}

std::string WeightsText(const Weights& weights) {
  Words parts;
  for (const auto& [person, weight] : weights) {
    parts.push_back(person + " " + std::to_string(weight));
  }
  return parts.empty() ? "nobody weighs anything" : Join(parts, ", ");
}

std::string NeedsText(std::uint32_t minimum) { return "weight " + std::to_string(minimum); }

std::string ConstraintsText(const Constraints& constraints) {
  Words parts;
  if (!constraints.paths.empty()) parts.push_back("only below " + Join(constraints.paths, ", "));
  for (const auto& [name, allowed] : constraints.parameters) {
    parts.push_back(name + " only " + Join(allowed, " or "));
  }
  return parts.empty() ? "without constraints" : Join(parts, "; ");
}

// All rules of a policy under the names that people know them by.
struct Rule {
  std::uint32_t minimum = 1;
  Weights weights;
  Constraints constraints;
};
std::map<std::string, Rule> RulesOf(const Policy& policy) {
  std::map<std::string, Rule> rules;
  const auto add = [&](const std::string& name, const ModuleRule& rule) {
    rules[name] = {rule.minimumweight, rule.weights, rule.constraints};
  };
  for (const auto& [kind, rule] : policy.kinds) add("`" + std::string(KindName(kind)) + "`", rule);
  for (const auto& [name, rule] : policy.modules) {
    add(name == "default" ? "any other module" : "module " + name, rule);
  }
  if (policy.enrolment) {
    rules["giving tags to new agents"] = {
        policy.enrolment->minimumweight, policy.enrolment->weights, {}};
  }
  return rules;
}

std::set<std::string> AloneIn(const Policy& policy, const Rule& rule) {
  std::set<std::string> alone;
  for (const auto& [person, weight] : rule.weights) {
    if (weight >= rule.minimum && CanSign(policy, person)) alone.insert(person);
  }
  return alone;
}

std::uint64_t Together(const Policy& policy, const Rule& rule) {
  std::uint64_t sum = 0;
  for (const auto& [person, weight] : rule.weights) {
    if (CanSign(policy, person)) sum += weight;
  }
  return sum;
}

std::string OutOfReach(const std::string& name, const Policy& policy, const Rule& rule) {
  return "nobody can reach what " + name + " needs: all who can sign weigh " +
         std::to_string(Together(policy, rule)) + " together, of " + std::to_string(rule.minimum);
}

void RuleChanges(const std::string& name, const Policy& before, const Rule* old,
                 const Policy& after, const Rule* now, Words& words) {
  static const Rule kNone{};
  if (old == nullptr && now != nullptr) {
    words.push_back(name + " gets a rule of its own: " + NeedsText(now->minimum) + " is needed; " +
                    WeightsText(now->weights) + "; " + ConstraintsText(now->constraints));
  } else if (now == nullptr) {
    words.push_back(name + " loses its own rule");
    return;
  } else {
    if (old->minimum != now->minimum) {
      words.push_back(name + " needs " + NeedsText(now->minimum) + " instead of " +
                      std::to_string(old->minimum));
    }
    std::set<std::string> people;
    for (const auto& entry : old->weights) people.insert(entry.first);
    for (const auto& entry : now->weights) people.insert(entry.first);
    for (const std::string& person : people) {
      const auto was = old->weights.find(person), is = now->weights.find(person);
      const std::uint32_t from = was == old->weights.end() ? 0 : was->second;
      const std::uint32_t to = is == now->weights.end() ? 0 : is->second;
      if (from == to) continue;
      words.push_back(person + " weighs " + (to == 0 ? "nothing" : std::to_string(to)) +
                      " instead of " + (from == 0 ? "nothing" : std::to_string(from)) + " for " +
                      name);
    }
    const std::string was = ConstraintsText(old->constraints);
    const std::string is = ConstraintsText(now->constraints);
    if (was != is) words.push_back(name + " is " + is + ", instead of " + was);
  }
  const Rule& base = old == nullptr ? kNone : *old;
  const auto alone_before = old == nullptr ? std::set<std::string>() : AloneIn(before, base);
  for (const std::string& person : AloneIn(after, *now)) {
    if (!alone_before.contains(person)) {
      words.push_back(person + " alone is now enough for " + name);
    }
  }
  const bool reached_before = old != nullptr && Together(before, base) >= base.minimum;
  if (Together(after, *now) < now->minimum && (old == nullptr || reached_before)) {
    words.push_back(OutOfReach(name, after, *now));
  }
}

void KeyChanges(const std::string& owner, const std::vector<DocumentKey>& before,
                const std::vector<DocumentKey>& after, Words& words) {
  const auto has = [](const std::vector<DocumentKey>& keys, const DocumentKey& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const DocumentKey& key : after) {
    if (!has(before, key)) words.push_back(owner + " gets the key " + KeyWords(key));
  }
  for (const DocumentKey& key : before) {
    if (!has(after, key)) words.push_back(owner + " loses the key " + KeyWords(key));
  }
}

void PeopleChanges(const Policy& before, const Policy& after, Words& words) {
  for (const Person& person : after.people) {
    const Person* old = Find(before, person.id);
    if (old == nullptr) {
      words.push_back(Called(person) + " is added" + (person.active ? "" : ", disabled"));
      KeyChanges(person.id, {}, person.keys, words);
      continue;
    }
    if (old->name != person.name) words.push_back(Called(*old) + " is now " + person.name);
    if (old->active != person.active) {
      words.push_back(Called(person) + (person.active ? " is active again"
                                                      : " is disabled: nothing signed by that "
                                                        "person counts any more"));
    }
    KeyChanges(person.id, old->keys, person.keys, words);
  }
  for (const Person& person : before.people) {
    if (Find(after, person.id) == nullptr) {
      words.push_back(Called(person) +
                      " is removed: nothing signed by that person counts any more");
    }
  }
}

std::string OwnerOf(const Policy& policy, const KeyId& id) {
  for (const Person& person : policy.people) {
    for (const DocumentKey& key : person.keys) {
      if (IdOf(key) == id) return " of " + person.id;
    }
  }
  return "";
}

void RevokedChanges(const Policy& before, const Policy& after, Words& words) {
  for (const KeyId& id : after.revoked) {
    if (before.revoked.contains(id)) continue;
    words.push_back("the key " + Short(id) + OwnerOf(after, id) +
                    " is revoked: nothing signed by it counts any more");
  }
  for (const KeyId& id : before.revoked) {
    if (!after.revoked.contains(id)) {
      words.push_back("the key " + Short(id) + OwnerOf(after, id) + " is not revoked any more");
    }
  }
}

// The settings with one value each: a table, so that none is forgotten.
struct Setting {
  const char* name;
  std::function<std::string(const Policy&)> text;
};
const std::vector<Setting>& Settings() {
  const auto validity = [](Kind kind) {
    return [kind](const Policy& policy) {
      const auto found = policy.validity.find(kind);
      return found == policy.validity.end() ? std::string("not allowed")
                                            : FormatDuration(found->second);
    };
  };
  static const std::vector<Setting> kSettings = {
      {"longest validity of an investigation", validity(Kind::kInvestigate)},
      {"longest validity of a response", validity(Kind::kRespond)},
      {"longest validity of an admin action", validity(Kind::kAdmin)},
      {"ceiling of seconds", [](const Policy& p) { return std::to_string(p.ceilings.seconds); }},
      {"ceiling of memory (bytes)", [](const Policy& p) { return std::to_string(p.ceilings.rss); }},
      {"ceiling of CPU (percent)", [](const Policy& p) { return std::to_string(p.ceilings.cpu); }},
      {"ceiling of rows", [](const Policy& p) { return std::to_string(p.ceilings.rows); }},
      {"ceiling of result bytes", [](const Policy& p) { return std::to_string(p.ceilings.bytes); }},
      {"ceiling of bytes read a second",
       [](const Policy& p) {
         return p.ceilings.rate == 0 ? std::string("none") : std::to_string(p.ceilings.rate);
       }},
      {"sandbox demanded",
       [](const Policy& p) { return std::string(p.require_full_sandbox ? "full" : "any"); }},
      {"oldest freshness statement", [](const Policy& p) {
         return p.freshness ? FormatDuration(p.freshness->age)
                            : std::string("none: nobody may respond or administer");
       }}};
  return kSettings;
}

void TagChanges(const Policy& before, const Policy& after, Words& words) {
  const auto text = [](const Tags& tags) {
    Words parts;
    for (const auto& [name, value] : tags) parts.push_back(name + "=" + value);
    return parts.empty() ? std::string("none") : Join(parts, ", ");
  };
  std::set<AgentId> agents;
  for (const auto& entry : before.tags) agents.insert(entry.first);
  for (const auto& entry : after.tags) agents.insert(entry.first);
  for (const AgentId& agent : agents) {
    const auto was = before.tags.find(agent), is = after.tags.find(agent);
    const std::string from = text(was == before.tags.end() ? Tags() : was->second);
    const std::string to = text(is == after.tags.end() ? Tags() : is->second);
    if (from == to) continue;
    words.push_back("agent " + agent.Text().substr(0, kIdLetters) + "… has the tags " + to +
                    " instead of " + from);
  }
}

}  // namespace

std::string KeyWords(const DocumentKey& key) { return key.type + " " + Short(IdOf(key)); }

std::vector<std::string> PolicyChanges(const Policy& before, const Policy& after) {
  Words words;
  PeopleChanges(before, after, words);
  RevokedChanges(before, after, words);
  const auto old_rules = RulesOf(before), new_rules = RulesOf(after);
  std::set<std::string> names;
  for (const auto& entry : old_rules) names.insert(entry.first);
  for (const auto& entry : new_rules) names.insert(entry.first);
  for (const std::string& name : names) {
    const auto was = old_rules.find(name), is = new_rules.find(name);
    RuleChanges(name, before, was == old_rules.end() ? nullptr : &was->second, after,
                is == new_rules.end() ? nullptr : &is->second, words);
  }
  for (const Setting& setting : Settings()) {
    const std::string from = setting.text(before), to = setting.text(after);
    if (from != to) words.push_back(std::string(setting.name) + ": " + to + " instead of " + from);
  }
  KeyChanges("the freshness of the policy",
             before.freshness ? before.freshness->keys : std::vector<DocumentKey>(),
             after.freshness ? after.freshness->keys : std::vector<DocumentKey>(), words);
  TagChanges(before, after, words);
  if (before.expires != after.expires) {
    words.push_back("the policy holds until " + FormatRfc3339(after.expires) + " instead of " +
                    FormatRfc3339(before.expires));
  }
  return words;
}

std::vector<std::string> DescribePolicy(const Policy& policy) {
  Words words;
  words.push_back("version " + std::to_string(policy.version) + " of deployment " +
                  policy.org.Text());
  words.push_back("issued " + FormatRfc3339(policy.issued) + ", expires " +
                  FormatRfc3339(policy.expires));
  for (const Person& person : policy.people) {
    words.push_back(Called(person) + (person.active ? "" : ", disabled"));
    for (const DocumentKey& key : person.keys) {
      words.push_back("  key " + KeyWords(key) +
                      (policy.revoked.contains(IdOf(key)) ? ", revoked" : ""));
    }
  }
  for (const auto& [name, rule] : RulesOf(policy)) {
    const auto alone = AloneIn(policy, rule);
    words.push_back(name + " needs " + NeedsText(rule.minimum) + ": " + WeightsText(rule.weights) +
                    "; " + ConstraintsText(rule.constraints));
    if (!alone.empty()) {
      words.push_back("  alone enough: " + Join(Words(alone.begin(), alone.end()), ", "));
    }
    if (Together(policy, rule) < rule.minimum) {
      words.push_back("  " + OutOfReach(name, policy, rule));
    }
  }
  for (const Setting& setting : Settings()) {
    words.push_back(std::string(setting.name) + ": " + setting.text(policy));
  }
  if (policy.freshness) {
    for (const DocumentKey& key : policy.freshness->keys) {
      words.push_back("freshness key " + KeyWords(key));
    }
  }
  for (const KeyId& id : policy.revoked) {
    if (OwnerOf(policy, id).empty()) words.push_back("revoked key " + Short(id));
  }
  if (!policy.tags.empty()) {
    words.push_back("gives tags to " + Count(policy.tags.size(), "agent") + " by id");
  }
  return words;
}

std::vector<std::string> DescribeRoot(const Root& root) {
  Words words = {"root version " + std::to_string(root.version) + ": " +
                 std::to_string(root.threshold) + " of " + Count(root.keys.size(), "key") +
                 " must sign"};
  for (const DocumentKey& key : root.keys) words.push_back("  " + KeyWords(key));
  return words;
}

std::vector<std::string> RootChanges(const Root& before, const Root& after) {
  Words words;
  KeyChanges("the root", before.keys, after.keys, words);
  if (before.threshold != after.threshold) {
    words.push_back(Count(after.threshold, "key") + " of the root must sign instead of " +
                    std::to_string(before.threshold));
  }
  return words;
}

}  // namespace mig::cli
