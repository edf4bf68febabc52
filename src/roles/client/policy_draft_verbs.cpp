// mig policy init|check|edit|add-person|remove-person|revoke|set|renew: the draft.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>

#include "cli/key_line.h"
#include "cli/person_keys.h"
#include "cli/policy_draft.h"
#include "cli/policy_words.h"
#include "cli/verb.h"
#include "crypto/openpgp_armor.h"
#include "os/files.h"
#include "roles/client/policy_verbs.h"
#include "util/text.h"
#include "util/yaml.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kMaxLineFile = 64 * 1024;

// A public line, or the file that holds one.
Expected<cli::KeyLine> LineOrFile(const std::string& text) {
  if (text.find(' ') != std::string::npos) return cli::ReadKeyLine(text);
  auto content = os::ReadFile(text, kMaxLineFile);
  if (!content) return std::move(content).error().During("a public line or a file with one");
  auto line = cli::ReadKeyLine(content->substr(0, content->find('\n')));
  if (!line) return std::move(line).error().During(text);
  return line;
}

// A public line, or the file that holds one, or an OpenPGP key.
Expected<cli::PersonKeys> PersonKeysOf(const std::string& text) {
  if (text.find(' ') != std::string::npos) return cli::ReadPersonKeys(text, Now());
  auto content = os::ReadFile(text, openpgp::kMaxArmorBytes);
  if (!content) return std::move(content).error().During("a public line or a file with a key");
  auto keys = cli::ReadPersonKeys(*content, Now());
  if (!keys) return std::move(keys).error().During(text);
  return keys;
}

Person* FindPerson(Policy& policy, const std::string& id) {
  const auto found = std::find_if(policy.people.begin(), policy.people.end(),
                                  [&](const Person& person) { return person.id == id; });
  return found == policy.people.end() ? nullptr : &*found;
}

Error NoSuchPerson(const Policy& policy, const std::string& id) {
  std::vector<std::string> ids;
  for (const Person& person : policy.people) ids.push_back(person.id);
  const std::string hint = DidYouMean(id, ids);
  return Error(Errc::kNotFound,
               "there is no person `" + id + "` in the draft" + (hint.empty() ? "" : ", " + hint));
}

// Every table of weights in a policy.
std::vector<std::map<std::string, std::uint32_t>*> AllWeights(Policy& policy) {
  std::vector<std::map<std::string, std::uint32_t>*> all;
  for (auto& entry : policy.modules) all.push_back(&entry.second.weights);
  for (auto& entry : policy.kinds) all.push_back(&entry.second.weights);
  if (policy.enrolment) all.push_back(&policy.enrolment->weights);
  return all;
}

}  // namespace

ExitStatus ChangeDraft(const std::string& dir, cli::Terminal& terminal,
                       const std::function<Expected<void>(Policy& policy)>& change) {
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto documents = folder->LoadDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  auto text = folder->LoadDraft();
  if (!text) return cli::Fail(terminal, text.error());
  auto policy =
      cli::ReadPolicyDraft(*text, folder->Draft().string(), {documents->org(), 1, UtcTime()});
  if (!policy) return cli::Fail(terminal, policy.error());
  if (auto changed = change(*policy); !changed) return cli::Fail(terminal, changed.error());
  // Whatever the change was, it must be a policy that agents read.
  if (auto sound = DecodePolicy(EncodePolicy(*policy)); !sound) {
    return cli::Fail(terminal, sound.error());
  }
  if (auto saved = folder->SaveDraft(cli::WritePolicyDraft(*policy)); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  return TellOfDraft(*folder, false, terminal);
}

ExitStatus PolicyInit(Words words, cli::Terminal& terminal) {
  std::string dir, person_id, person_key;
  std::vector<std::string> root_keys;
  std::vector<std::string> freshness_keys;
  std::uint64_t threshold = 1;
  cli::Options options(
      "mig policy init --root-key LINE … --threshold N --person ID --person-key LINE",
      "Begins a deployment: root version 1, whose hash is the deployment's name (org), and a first "
      "draft of\na policy. Root keys sign policies and nothing else; keep them offline, each with "
      "another person.");
  AddFolderTo(options, &dir);
  options.Texts("root-key", 'r', "LINE", "the public line of a root key, or the file with it",
                &root_keys);
  options.Integer("threshold", 'n', "N", "how many of them must sign (default 1)", 1, 64,
                  &threshold);
  options.Text("person", 'p', "ID", "id of the first investigator: a-z 0-9 . _ -", &person_id);
  options.Text("person-key", '\0', "LINE", "that person's public line, or the file with it",
               &person_key);
  options.Texts("freshness-key", '\0', "LINE",
                "who states that the policy is the newest (mig policy fresh)", &freshness_keys);
  options.Example(
      "mig policy init --root-key r1.pub --root-key r2.pub --root-key r3.pub --threshold 2 "
      "--person ann --person-key ann.pub --freshness-key fresh.pub",
      "two of three keepers sign each policy");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (root_keys.empty() || person_id.empty() || person_key.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid,
                                     "--root-key, --person and --person-key are needed; see `mig "
                                     "policy init --help`"));
  }
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  if (auto made = folder->Make(); !made) return cli::Fail(terminal, made.error());
  if (folder->LoadDocuments()) {
    return cli::Fail(terminal, Error(Errc::kExists, folder->Documents().string() +
                                                        " is there already: a deployment begins "
                                                        "once; choose another --dir"));
  }
  const UtcTime now = Now();
  Root root;
  root.issued = now;
  root.threshold = static_cast<std::uint32_t>(threshold);
  for (const std::string& text : root_keys) {
    auto line = LineOrFile(text);
    if (!line) return cli::Fail(terminal, std::move(line).error().During("--root-key"));
    root.keys.push_back(line->key);
  }
  if (auto sound = DecodeRoot(EncodeRoot(root)); !sound) {
    return cli::Fail(terminal, sound.error());
  }
  auto person = LineOrFile(person_key);
  if (!person) return cli::Fail(terminal, std::move(person).error().During("--person-key"));
  cli::SigningBundle bundle;
  bundle.roots.push_back(cli::Unsigned(kRootType, EncodeRoot(root)));
  Policy policy = cli::FirstPolicy(
      bundle.org(),
      {person_id, person->name.empty() ? person_id : person->name, true, {person->key}}, now);
  for (const std::string& text : freshness_keys) {
    auto line = LineOrFile(text);
    if (!line) return cli::Fail(terminal, std::move(line).error().During("--freshness-key"));
    if (!policy.freshness) policy.freshness.emplace();
    policy.freshness->keys.push_back(line->key);
  }
  if (auto sound = DecodePolicy(EncodePolicy(policy)); !sound) {
    return cli::Fail(terminal, sound.error());
  }
  if (auto saved = folder->SaveDraft(cli::WritePolicyDraft(policy)); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  if (auto saved = folder->SaveDocuments(bundle); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  terminal.Remark("Wrote root version 1 and the draft " + folder->Draft().string() + ".");
  if (!policy.freshness) {
    terminal.Remark(
        "Without a freshness key nobody can respond or administer: mig policy set "
        "freshness.keys LINE");
  }
  terminal.Remark(
      "Next: mig policy edit; then each keeper: mig policy sign --key ROOT_KEY; then: "
      "mig policy publish --files DIR");
  terminal.Remark("The deployment's org, for every configuration:");
  terminal.Data(bundle.org().Text() + "\n");
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus PolicyCheck(Words words, cli::Terminal& terminal) {
  std::string file;
  cli::Options options("mig policy check FILE",
                       "Reads a draft and says whether it is a policy, and what it means.");
  options.Word("FILE", "a draft, YAML or JSON", true, &file);
  options.Example("mig policy check policy.yaml", "before anybody signs it");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto text = os::ReadFile(file, 1 << 20);
  if (!text) return cli::Fail(terminal, text.error());
  auto policy = cli::ReadPolicyDraft(*text, file, {OrgId(), 1, Now()});
  if (!policy) return cli::Fail(terminal, policy.error());
  const auto lines = cli::DescribePolicy(*policy);
  // Version, org and times come when it is signed.
  for (std::size_t i = cli::kSentencesOfSigning; i < lines.size(); ++i) {
    terminal.Data(EscapeForTerminal(lines[i]) + "\n");
  }
  terminal.Data("holds for " + FormatDuration(policy->expires - policy->issued) + "\n");
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus PolicyEdit(Words words, cli::Terminal& terminal) {
  std::string dir;
  cli::Options options("mig policy edit",
                       "Opens the draft in $VISUAL or $EDITOR (else vi), checks it, and says in "
                       "plain words\nwhat it changes for whom.");
  AddFolderTo(options, &dir);
  options.Example("EDITOR=nano mig policy edit", "with another editor");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  if (auto there = folder->LoadDraft(); !there) return cli::Fail(terminal, there.error());
  std::string editor = cli::ProcessEnvironment("VISUAL");
  if (editor.empty()) editor = cli::ProcessEnvironment("EDITOR");
  if (editor.empty()) editor = "vi";
  // As every program does: $EDITOR may carry options, the file is an argument and never the
  // shell's.
  if (::setenv("MIG_DRAFT", folder->Draft().c_str(), 1) != 0 ||
      std::system((editor + " \"$MIG_DRAFT\"").c_str()) != 0) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "the editor `" + editor +
                                                         "` failed; set EDITOR to one that is "
                                                         "here"));
  }
  return TellOfDraft(*folder, false, terminal);
}

ExitStatus PolicyAddPerson(Words words, cli::Terminal& terminal) {
  std::string dir, id, name, like;
  std::vector<std::string> keys;
  bool enable = false;
  cli::Options options("mig policy add-person ID --key LINE [--name NAME] [--like ID]",
                       "Puts a person into the draft; or another key of one who is in it.");
  options.Word("ID", "stable for ever: a-z 0-9 . _ -", true, &id);
  options.Texts("key", 'k', "LINE",
                "a public line, or the file with it, or with an OpenPGP key (gpg --export)", &keys);
  options.Text("name", 'n', "NAME", "Full Name <mail> (default: what stands with the key)", &name);
  options.Text("like", 'l', "ID", "the same weights as this person everywhere", &like);
  options.Flag("enable", '\0', "active again, if disabled", &enable);
  AddFolderTo(options, &dir);
  options.Example("mig policy add-person bob --key bob.pub --like ann", "a new colleague");
  options.Example("mig policy add-person ann --key ~/.ssh/id_ed25519_sk.pub", "a token for ann");
  options.Example("mig policy add-person carol --key carol.asc --like bob",
                  "all keys of carol's OpenPGP key that may sign now");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (keys.empty() && !enable && like.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "--key LINE is missing"));
  }
  return ChangeDraft(dir, terminal, [&](Policy& policy) -> Expected<void> {
    if (!like.empty() && FindPerson(policy, like) == nullptr) return NoSuchPerson(policy, like);
    if (FindPerson(policy, id) == nullptr) policy.people.push_back({id, name, true, {}});
    Person& person = *FindPerson(policy, id);
    if (enable) person.active = true;
    if (!name.empty()) person.name = name;
    for (const std::string& text : keys) {
      auto found = PersonKeysOf(text);
      if (!found) return std::move(found).error().During("--key");
      for (const DocumentKey& key : found->keys) person.keys.push_back(key);
      if (person.name.empty()) person.name = found->name;
      for (const std::string& why : found->left_out) {
        terminal.Remark(text + ": left out: " + why + ".");
      }
    }
    if (person.name.empty()) person.name = id;
    if (like.empty()) return {};
    for (auto* weights : AllWeights(policy)) {
      if (const auto found = weights->find(like); found != weights->end()) {
        (*weights)[id] = found->second;
      }
    }
    return {};
  });
}

ExitStatus PolicyRemovePerson(Words words, cli::Terminal& terminal) {
  std::string dir, id;
  bool disable = false;
  cli::Options options("mig policy remove-person ID [--disable]",
                       "Takes a person out of the draft, with all weights; or disables the person, "
                       "who then stays\nnamed in what was signed before.");
  options.Word("ID", "the person", true, &id);
  options.Flag("disable", '\0', "keep the person, but nothing signed counts any more", &disable);
  AddFolderTo(options, &dir);
  options.Example("mig policy remove-person carol --disable", "somebody left");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  return ChangeDraft(dir, terminal, [&](Policy& policy) -> Expected<void> {
    Person* person = FindPerson(policy, id);
    if (person == nullptr) return NoSuchPerson(policy, id);
    if (disable) {
      person->active = false;
      return {};
    }
    policy.people.erase(policy.people.begin() + (person - policy.people.data()));
    for (auto* weights : AllWeights(policy)) weights->erase(id);
    return {};
  });
}

ExitStatus PolicyRevoke(Words words, cli::Terminal& terminal) {
  std::string dir, key;
  bool undo = false;
  cli::Options options("mig policy revoke KEYID|LINE|FILE",
                       "Revokes a key: nothing signed by it counts any more, from the moment on "
                       "when an agent has\nthe policy.");
  options.Word("KEY", "its id (mig key show), its first 8 letters or more, its public line or file",
               true, &key);
  options.Flag("undo", '\0', "not revoked any more", &undo);
  AddFolderTo(options, &dir);
  options.Example("mig policy revoke gr2q7gf5lh6p", "a laptop was stolen");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  return ChangeDraft(dir, terminal, [&](Policy& policy) -> Expected<void> {
    std::optional<KeyId> id;
    if (auto whole = KeyId::Parse(key)) {
      id = *whole;
    } else if (auto line = LineOrFile(key)) {
      id = cli::IdOf(line->key);
    } else {
      constexpr std::size_t kLeastLetters = 8;
      std::set<KeyId> matches;
      const auto match = [&](const KeyId& known) {
        if (key.size() >= kLeastLetters && known.Text().starts_with(key)) matches.insert(known);
      };
      for (const Person& person : policy.people) {
        for (const DocumentKey& known : person.keys) match(cli::IdOf(known));
      }
      for (const KeyId& known : policy.revoked) match(known);
      if (matches.size() != 1) {
        return Error(Errc::kNotFound,
                     "`" + key + "` is neither a key id, nor the first letters (8 or more) of " +
                         "exactly one in the draft, nor a public line or a file with one");
      }
      id = *matches.begin();
    }
    if (undo) {
      if (policy.revoked.erase(*id) == 0) return Error(Errc::kNotFound, "that key is not revoked");
    } else {
      policy.revoked.insert(*id);
    }
    return {};
  });
}

ExitStatus PolicySet(Words words, cli::Terminal& terminal) {
  std::string dir, path, value;
  bool remove = false;
  cli::Options options("mig policy set PATH VALUE\n       mig policy set PATH --remove",
                       "Sets one field of the draft by its path, or takes it out.");
  options.Word("PATH", "names joined by dots, as in kinds.respond.minimumweight", true, &path);
  options.Word("VALUE", "as in the YAML of the draft", false, &value);
  options.Flag("remove", '\0', "take the field out", &remove);
  AddFolderTo(options, &dir);
  options.Example("mig policy set kinds.respond.weights.bob 1", "bob may respond, too");
  options.Example("mig policy set modules.file.constraints.paths '[/etc, /var/log]'",
                  "only below these");
  options.Example("mig policy set expires 30d", "for how long a version holds");
  options.Note(
      "A new rule needs its minimumweight and weights at once: mig policy set modules.ping "
      "'{minimumweight: 1, weights: {ann: 1}}'.");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (remove == !value.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "give either a VALUE or --remove"));
  }
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto documents = folder->LoadDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  auto text = folder->LoadDraft();
  if (!text) return cli::Fail(terminal, text.error());
  auto draft = ParseYaml(*text, folder->Draft().string());
  if (!draft) return cli::Fail(terminal, draft.error());
  if (auto set = cli::SetField(*draft, path, remove ? std::optional<std::string>() : value); !set) {
    return cli::Fail(terminal, set.error());
  }
  const std::string changed = WriteYaml(*draft);
  auto policy =
      cli::ReadPolicyDraft(changed, folder->Draft().string(), {documents->org(), 1, UtcTime()});
  if (!policy) return cli::Fail(terminal, policy.error());
  if (auto saved = folder->SaveDraft(cli::WritePolicyDraft(*policy)); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  return TellOfDraft(*folder, false, terminal);
}

ExitStatus PolicyRenew(Words words, cli::Terminal& terminal) {
  std::string dir;
  cli::Options options("mig policy renew",
                       "The draft as a new version that is issued now: when the one in force will "
                       "expire.");
  AddFolderTo(options, &dir);
  options.Example("mig policy pull && mig policy renew && mig policy sign --key root.key",
                  "every three months");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  return TellOfDraft(*folder, true, terminal);
}

}  // namespace mig
