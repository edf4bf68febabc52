#include "cli/mig_acl.h"

#include <algorithm>
#include <optional>
#include <set>

#include "cli/key_line.h"
#include "cli/person_keys.h"
#include "modules/module.h"
#include "util/json.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kDefault = "default";
// Of version 4 and of version 6, in hex digits.
constexpr std::size_t kFingerprintDigits[] = {40, 64};
constexpr std::size_t kMaxIdLetters = 64;
constexpr std::int64_t kMaxAclWeight = 1'000'000;

std::optional<std::string> Fingerprint(std::string_view text) {
  std::string digits;
  if (text.starts_with("0x")) text.remove_prefix(2);
  for (const char c : text) {
    if (c == ' ') continue;
    if (c >= 'a' && c <= 'f') {
      digits += static_cast<char>(c - 'a' + 'A');
    } else if ((c >= 'A' && c <= 'F') || (c >= '0' && c <= '9')) {
      digits += c;
    } else {
      return std::nullopt;
    }
  }
  const auto* end = std::end(kFingerprintDigits);
  if (std::find(std::begin(kFingerprintDigits), end, digits.size()) == end) return std::nullopt;
  return digits;
}

Expected<AclRule> ReadRule(const json::value& value, const std::string& where) {
  if (!value.is_object()) {
    return Error(Errc::kInvalid, where + ": expected minimumweight and investigators");
  }
  // MIG's reader passed over what it did not know; so lists in use may have notes.
  json::ObjectReader in(value.get_object(), where, json::ObjectReader::Unknown::kIgnore);
  AclRule rule;
  rule.minimumweight = static_cast<std::uint32_t>(in.Integer("minimumweight", 1, kMaxAclWeight));
  if (const json::object* investigators = in.OptionalObject("investigators")) {
    for (const auto& member : *investigators) {
      const std::string place = where + ".investigators." + std::string(member.key());
      if (!member.value().is_object()) {
        return Error(Errc::kInvalid, place + ": expected fingerprint and weight");
      }
      json::ObjectReader fields(member.value().get_object(), place,
                                json::ObjectReader::Unknown::kIgnore);
      AclInvestigator investigator;
      investigator.label = std::string(member.key());
      const auto digits = Fingerprint(fields.String("fingerprint"));
      if (!digits) fields.Fail("fingerprint", "is not the 40 or 64 hex digits of an OpenPGP key");
      investigator.fingerprint = digits.value_or("");
      investigator.weight = static_cast<std::uint32_t>(fields.Integer("weight", 0, kMaxAclWeight));
      if (auto done = fields.Finish(); !done) return std::move(done).error();
      rule.investigators.push_back(std::move(investigator));
    }
  }
  if (auto done = in.Finish(); !done) return std::move(done).error();
  std::sort(rule.investigators.begin(), rule.investigators.end(),
            [](const auto& a, const auto& b) { return a.label < b.label; });
  return rule;
}

// An id out of what the list calls somebody: "Bob Kelso" is bob-kelso.
std::string IdOf(const std::string& label) {
  std::string id;
  for (const char c : label) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                       lower == '.' || lower == '_' || lower == '-';
    if (plain) {
      id += lower;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  if (id.size() > kMaxIdLetters) id.resize(kMaxIdLetters);
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id;
}

std::string RuleName(const std::string& module) {
  return module == kDefault ? "kinds.investigate" : "modules." + module;
}

// Everybody whom a list names, made people of a policy.
class Importer {
 public:
  Importer(const std::vector<openpgp::Certificate>& certificates, Policy& policy)
      : certificates_(certificates), policy_(policy) {}

  Expected<void> Meet(const std::string& module, const AclInvestigator& investigator) {
    auto [place, is_new] = known_.try_emplace(investigator.fingerprint);
    Known& known = place->second;
    if (is_new) {
      known.label = investigator.label;
      if (auto met = Identify(investigator, known); !met) return met;
    }
    if (known.person.empty()) known.missing_in.push_back(RuleName(module));
    return {};
  }

  // The id in the policy; empty: left out.
  const std::string& PersonOf(const AclInvestigator& investigator) const {
    return known_.at(investigator.fingerprint).person;
  }

  void Tell(AclImport& import) const {
    import.added = added_;
    for (const auto& [fingerprint, known] : known_) {
      if (!known.person.empty()) continue;
      import.left_out.push_back(known.label + " (" + fingerprint + ") of " +
                                Join(known.missing_in, ", ") + ": " + known.why);
    }
    for (const auto& [person, note] : notes_) import.remarks.push_back(person + ": " + note);
    for (const openpgp::Certificate& certificate : certificates_) {
      if (certificate.keys.empty() || known_.contains(certificate.keys.front().fingerprint))
        continue;
      import.remarks.push_back(
          "the key " + certificate.keys.front().fingerprint +
          (certificate.user_ids.empty() ? std::string() : " of " + certificate.user_ids.front()) +
          " is named nowhere in the list");
    }
  }

 private:
  struct Known {
    std::string label, person, why;
    std::vector<std::string> missing_in;
  };

  Expected<void> Identify(const AclInvestigator& investigator, Known& known) {
    // MIG knew people by their primary keys, also where a subkey had signed.
    const auto found = std::find_if(certificates_.begin(), certificates_.end(), [&](const auto& c) {
      return !c.keys.empty() && c.keys.front().fingerprint == investigator.fingerprint;
    });
    if (found == certificates_.end()) {
      known.why = "no --key file has this key; gpg --export --armor " + investigator.fingerprint +
                  " > " + (IdOf(investigator.label).empty() ? "key" : IdOf(investigator.label)) +
                  ".asc, and import again with --key";
      return {};
    }
    PersonKeys keys = KeysIn(*found);
    if (keys.keys.empty()) {
      known.why = "no key of that file can sign for mig (" + Join(keys.left_out, "; ") +
                  "). What will do is " + RemedyFor(*found) + ", then mig policy add-person";
      return {};
    }
    if (Person* person = Owner(keys.keys)) {
      AddKeys(*person, keys);
      known.person = person->id;
    } else {
      const std::string id = IdOf(investigator.label);
      if (id.empty()) {
        return Error(Errc::kInvalid, "`" + investigator.label +
                                         "`: gives no id for a person (a-z 0-9 . _ -); put this "
                                         "one into the draft first: mig policy add-person ID --key "
                                         "FILE");
      }
      if (std::any_of(policy_.people.begin(), policy_.people.end(),
                      [&](const Person& p) { return p.id == id; })) {
        return Error(Errc::kInvalid,
                     "`" + investigator.label + "`: the draft has another person `" + id +
                         "`, with other keys; if it is the same: mig policy add-person " + id +
                         " --key FILE, then import again");
      }
      policy_.people.push_back({id, keys.name.empty() ? investigator.label : keys.name, true, {}});
      AddKeys(policy_.people.back(), keys);
      known.person = id;
      added_.push_back(id);
    }
    for (const std::string& why : keys.left_out) notes_.emplace_back(known.person, why);
    return {};
  }

  Person* Owner(const std::vector<DocumentKey>& keys) {
    for (Person& person : policy_.people) {
      for (const DocumentKey& key : person.keys) {
        for (const DocumentKey& theirs : keys) {
          if (MaterialOf(key) == MaterialOf(theirs)) return &person;
        }
      }
    }
    return nullptr;
  }

  static void AddKeys(Person& person, const PersonKeys& keys) {
    for (const DocumentKey& key : keys.keys) {
      const bool there = std::any_of(person.keys.begin(), person.keys.end(), [&](const auto& held) {
        return MaterialOf(held) == MaterialOf(key);
      });
      if (!there) person.keys.push_back(key);
    }
  }

  const std::vector<openpgp::Certificate>& certificates_;
  Policy& policy_;
  std::map<std::string, Known> known_;  // by fingerprint
  std::vector<std::string> added_;
  std::vector<std::pair<std::string, std::string>> notes_;
};

}  // namespace

Expected<MigAcl> ReadMigAcl(std::string_view text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error();
  MigAcl acl;
  for (const auto& member : *fields) {
    auto rule = ReadRule(member.value(), std::string(member.key()));
    if (!rule) return std::move(rule).error();
    acl.emplace(std::string(member.key()), std::move(*rule));
  }
  if (acl.empty()) return Error(Errc::kInvalid, "has no rule, neither for a module nor `default`");
  return acl;
}

Expected<AclImport> ImportMigAcl(const MigAcl& acl,
                                 const std::vector<openpgp::Certificate>& certificates,
                                 Policy& policy) {
  AclImport import;
  Importer people(certificates, policy);
  for (const auto& [module, rule] : acl) {
    for (const AclInvestigator& investigator : rule.investigators) {
      if (auto met = people.Meet(module, investigator); !met) return std::move(met).error();
    }
  }
  for (const auto& [module, rule] : acl) {
    ModuleRule& made =
        module == kDefault ? policy.kinds[Kind::kInvestigate] : policy.modules[module];
    made = ModuleRule{rule.minimumweight, {}, std::move(made.constraints)};
    for (const AclInvestigator& investigator : rule.investigators) {
      const std::string& person = people.PersonOf(investigator);
      if (person.empty()) continue;
      auto [held, is_new] = made.weights.try_emplace(person, investigator.weight);
      if (is_new) continue;
      held->second = std::max(held->second, investigator.weight);
      import.remarks.push_back(RuleName(module) + ": " + person +
                               " stands there more than once, and MIG added the weights up; here a "
                               "person counts once, with " +
                               std::to_string(held->second));
    }
    if (module != kDefault && FindModule(module) == nullptr) {
      import.remarks.push_back("modules." + module +
                               ": this mig has no such module. The rule is kept for one that has; "
                               "to take it out: mig policy set modules." +
                               module + " --remove");
    }
  }
  if (acl.contains(std::string(kDefault))) {
    import.remarks.push_back(
        "`default` became kinds.investigate. Who may respond or administer stays as the draft has "
        "it, because MIG had no such kinds");
  }
  people.Tell(import);
  return import;
}

}  // namespace mig::cli
