// mig policy root show|add-key|remove-key|threshold: the keys that sign policies. A change is a new
// root version, which the thresholds of the old and of the new one sign.
#include <algorithm>
#include <functional>

#include "cli/key_line.h"
#include "cli/policy_words.h"
#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/policy_verbs.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kMaxLineFile = 64 * 1024;

Expected<cli::KeyLine> LineOrFile(const std::string& text) {
  if (text.find(' ') != std::string::npos) return cli::ReadKeyLine(text);
  auto content = os::ReadFile(text, kMaxLineFile);
  if (!content) return std::move(content).error();
  return cli::ReadKeyLine(content->substr(0, content->find('\n')));
}

// The last root, changed: a new version, or the one that is not published yet, anew. The policy
// needs the new keys' signatures, so it stays, with those it has.
ExitStatus Change(const std::string& dir, cli::Terminal& terminal,
                  const std::function<Expected<void>(Root& root)>& change) {
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto documents = folder->LoadDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  auto published = folder->LoadPublished();
  if (!published) return cli::Fail(terminal, published.error());
  if (!*published) {
    return cli::Fail(terminal, Error(Errc::kInvalid,
                                     "nothing was published yet: the org is the hash of root "
                                     "version 1; begin anew with `mig policy init` in another "
                                     "--dir"));
  }
  auto root = cli::RootIn(*documents, documents->roots.size() - 1);
  if (!root) return cli::Fail(terminal, root.error());
  const bool begun = documents->roots.size() > (*published)->roots.size();
  if (auto changed = change(*root); !changed) return cli::Fail(terminal, changed.error());
  if (!begun) ++root->version;
  root->issued = Now();
  if (auto sound = DecodeRoot(EncodeRoot(*root)); !sound) {
    return cli::Fail(terminal, sound.error());
  }
  if (begun) documents->roots.pop_back();
  documents->roots.push_back(cli::Unsigned(kRootType, EncodeRoot(*root)));
  if (auto saved = folder->SaveDocuments(*documents); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  return TellOfDraft(*folder, false, terminal);
}

ExitStatus Show(Words words, cli::Terminal& terminal) {
  std::string dir;
  cli::Options options("mig policy root show", "The root keys of your documents, every version.");
  AddFolderTo(options, &dir);
  options.Example("mig policy root show", "who keeps root keys");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto documents = folder->LoadDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  for (std::size_t i = 0; i < documents->roots.size(); ++i) {
    auto root = cli::RootIn(*documents, i);
    if (!root) return cli::Fail(terminal, root.error());
    for (const std::string& line : cli::DescribeRoot(*root)) {
      terminal.Data(EscapeForTerminal(line) + "\n");
    }
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus AddKey(Words words, cli::Terminal& terminal) {
  std::string dir, line;
  cli::Options options("mig policy root add-key LINE", "A new root version with another key.");
  options.Word("LINE", "its public line, or the file with it", true, &line);
  AddFolderTo(options, &dir);
  options.Example("mig policy root add-key dora.pub", "another keeper");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  return Change(dir, terminal, [&](Root& root) -> Expected<void> {
    auto key = LineOrFile(line);
    if (!key) return std::move(key).error();
    root.keys.push_back(key->key);
    return {};
  });
}

ExitStatus RemoveKey(Words words, cli::Terminal& terminal) {
  std::string dir, id;
  cli::Options options("mig policy root remove-key KEYID",
                       "A new root version without a key, as when its keeper left or lost it.");
  options.Word("KEYID", "its id, or the first 8 letters or more", true, &id);
  AddFolderTo(options, &dir);
  options.Example("mig policy root remove-key gr2q7gf5lh6p", "a keeper left");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  constexpr std::size_t kLeastLetters = 8;
  return Change(dir, terminal, [&](Root& root) -> Expected<void> {
    const auto matches = [&](const DocumentKey& key) {
      return id.size() >= kLeastLetters && cli::IdOf(key).Text().starts_with(id);
    };
    if (std::count_if(root.keys.begin(), root.keys.end(), matches) != 1) {
      return Error(Errc::kNotFound, "`" + id +
                                        "` is not the beginning (8 letters or more) of "
                                        "exactly one root key's id; see `mig policy root show`");
    }
    std::erase_if(root.keys, matches);
    return {};
  });
}

ExitStatus Threshold(Words words, cli::Terminal& terminal) {
  std::string dir, number;
  cli::Options options("mig policy root threshold N",
                       "A new root version of which so many keys must sign.");
  options.Word("N", "1 to the number of keys", true, &number);
  AddFolderTo(options, &dir);
  options.Example("mig policy root threshold 2", "no single keeper can change who may order what");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  return Change(dir, terminal, [&](Root& root) -> Expected<void> {
    if (number.empty() || number.size() > 2 ||
        number.find_first_not_of("0123456789") != std::string::npos) {
      return Error(Errc::kInvalid, "`" + number + "` is not a number of keys");
    }
    root.threshold = static_cast<std::uint32_t>(std::stoul(number));
    return {};
  });
}

constexpr struct {
  const char* name;
  const char* summary;
  ExitStatus (*run)(Words words, cli::Terminal& terminal);
} kRootVerbs[] = {
    {"show", "the root keys, every version", &Show},
    {"add-key", "a new version with another key", &AddKey},
    {"remove-key", "a new version without one", &RemoveKey},
    {"threshold", "a new version of which so many keys must sign", &Threshold},
};

}  // namespace

ExitStatus PolicyRoot(Words words, cli::Terminal& terminal) {
  std::string summary =
      "The root keys, which sign policies. A change is a new version: keepers of the old and of "
      "the "
      "new keys\nsign it (mig policy sign), and agents follow the whole chain.\n";
  for (const auto& verb : kRootVerbs) {
    if (!words.empty() && words[0] == verb.name) return verb.run(words.subspan(1), terminal);
    std::string name(verb.name);
    name.resize(12, ' ');
    summary += "\n  " + name + verb.summary;
  }
  cli::Options options("mig policy root show|add-key|remove-key|threshold …", summary);
  options.Example("mig policy root add-key dora.pub && mig policy root remove-key gr2q7gf5lh6p",
                  "dora takes over, in one new version");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  terminal.Complain("say what to do; `mig policy root --help` lists it");
  return cli::kUsage;
}

}  // namespace mig
