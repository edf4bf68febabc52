#include "verb_table.h"

#include <algorithm>

#include "util/text.h"
#include "util/version.h"

namespace mig {
namespace {

const Verb* Find(std::span<const Verb> verbs, std::string_view name) {
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

std::string_view BaseName(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::vector<std::string> Words(std::span<const Verb> verbs) {
  std::vector<std::string> words;
  for (const Verb& verb : verbs) words.emplace_back(verb.name);
  return words;
}

struct Heading {
  Verb::Group group;
  std::string_view text;
};
constexpr Heading kHeadings[] = {
    {Verb::Group::kStart, "Try it"},
    {Verb::Group::kInvestigator, "Investigate"},
    {Verb::Group::kEndpoint, "On endpoints"},
    {Verb::Group::kServer, "On the server"},
};

}  // namespace

Expected<Dispatch> FindVerb(std::span<const Verb> verbs, std::string_view called_as,
                            std::span<const std::string> arguments,
                            const std::function<bool(std::string_view)>& is_module) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  const std::string_view base = BaseName(called_as);
  if (base.starts_with("mig-") && Find(verbs, base.substr(4)) != nullptr) {
    return Dispatch{Dispatch::Kind::kVerb, Find(verbs, base.substr(4)), std::move(words)};
  }
  if (words.empty()) return Dispatch{Dispatch::Kind::kHelp, nullptr, {}};

  std::string word = words.front();
  words.erase(words.begin());
  if (word.starts_with('-')) {
    // One dash or two, as everywhere.
    word.erase(0, word.starts_with("--") ? 2 : 1);
    if (word == "version" || word == "V") return Dispatch{Dispatch::Kind::kVersion, nullptr, {}};
    if (word == "list") return Dispatch{Dispatch::Kind::kList, nullptr, {}};
    if (word == "help" || word == "h") return Dispatch{Dispatch::Kind::kHelp, nullptr, {}};
    if (word == "install") {
      if (words.size() != 1) {
        return Error(Errc::kInvalid, "--install wants one directory: mig --install /usr/sbin");
      }
      return Dispatch{Dispatch::Kind::kInstall, nullptr, std::move(words)};
    }
    const std::vector<std::string> options = {"version", "list", "help", "install"};
    const std::string hint = DidYouMean(word, options);
    return Error(Errc::kNotFound, "unknown option `--" + word + "`" +
                                      (hint.empty() ? "; see `mig help`" : ", " + hint));
  }
  if (word == "version") return Dispatch{Dispatch::Kind::kVersion, nullptr, {}};
  if (word == "help") {
    if (words.empty()) return Dispatch{Dispatch::Kind::kHelp, nullptr, {}};
    word = words.front();
    if (const Verb* verb = Find(verbs, word)) {
      words.erase(words.begin());  // `mig help lab up` is `mig lab up --help`
      return Dispatch{Dispatch::Kind::kHelp, verb, std::move(words)};
    }
    if (is_module(word)) {
      return Dispatch{Dispatch::Kind::kHelp, Find(verbs, "query"), {word}};
    }
  } else {
    if (const Verb* verb = Find(verbs, word)) {
      return Dispatch{Dispatch::Kind::kVerb, verb, std::move(words)};
    }
    if (is_module(word)) {
      words.insert(words.begin(), word);
      return Dispatch{Dispatch::Kind::kVerb, Find(verbs, "query"), std::move(words)};
    }
  }
  const std::string hint = DidYouMean(word, Words(verbs));
  return Error(Errc::kNotFound, "`" + EscapeForTerminal(word) + "` is neither a verb nor a module" +
                                    (hint.empty() ? "; `mig help` lists them" : ", " + hint));
}

std::string HelpPage(std::span<const Verb> verbs) {
  std::string page =
      "mig " + std::string(Version()) +
      ": ask thousands of machines at once, with orders that only people can give\n\n"
      "  mig VERB [options]      mig help VERB      mig MODULE … (short for mig query MODULE …)\n";
  for (const Heading& heading : kHeadings) {
    std::string lines;
    for (const Verb& verb : verbs) {
      if (verb.group != heading.group) continue;
      lines += "  " + std::string(verb.name);
      lines.append(verb.name.size() < 12 ? 12 - verb.name.size() : 1, ' ');
      lines += std::string(verb.summary) + "\n";
    }
    if (!lines.empty()) page += "\n" + std::string(heading.text) + ":\n" + lines;
  }
  page +=
      "\n  --list              names of all roles and verbs, one a line\n"
      "  --install DIR       make the links DIR/mig-ROLE to this executable\n"
      "  --version           version\n";
  return page;
}

}  // namespace mig
