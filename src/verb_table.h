// How the one executable finds what to do: a table of roles and verbs, looked up by the first word
// or by the name the program was called with. The table itself is in main.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace mig {

// Exit status of every verb (DESIGN section 2).
inline constexpr int kExitFound = 0;
inline constexpr int kExitUsage = 2;

struct Verb {
  std::string_view name;
  enum class Group { kStart, kInvestigator, kServer, kEndpoint, kInternal } group;
  std::string_view summary;  // one line, at most 70 characters
  int (*run)(std::span<const std::string> arguments);
};

// What a command line means: a verb of the table with its arguments, or one of the words that the
// table's owner answers itself.
struct Dispatch {
  enum class Kind { kVerb, kHelp, kVersion, kList, kInstall } kind;
  const Verb* verb = nullptr;          // kVerb; for kHelp the verb asked about, or null
  std::vector<std::string> arguments;  // for kInstall the directory; for kHelp what is asked about
};

// `called_as` is argv[0]: a base name `mig-ROLE` picks ROLE. `is_module` tells whether a word names
// a module: `mig file …` means `mig query file …`. Error: kNotFound, naming the near words.
Expected<Dispatch> FindVerb(std::span<const Verb> verbs, std::string_view called_as,
                            std::span<const std::string> arguments,
                            const std::function<bool(std::string_view)>& is_module);

// The page that `mig help` prints.
std::string HelpPage(std::span<const Verb> verbs);

}  // namespace mig
