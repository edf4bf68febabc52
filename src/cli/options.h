// The words after a verb, as MIG's users type them: one dash or two before a long name, `-x v` or
// `-x=v`, and a letter for what is typed often. One declaration makes the parser, the help and the
// shell completion of a verb. Letters are not bundled: `-vf` is the long name "vf".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/expected.h"

namespace mig::cli {

struct Option {
  std::string name;                  // "target", without dashes
  char letter = '\0';                // 't', or none
  std::string value_name;            // "EXPR" in the help; empty: a flag, which takes no value
  std::string help;                  // one line, no full stop
  std::vector<std::string> choices;  // for completion and messages; empty: anything
  bool repeatable = false;
  // Takes the value (of a flag: "true" or "false"). The error says what was expected; the
  // option's name is put in front.
  std::function<Expected<void>(std::string_view value)> take;

  bool TakesValue() const { return !value_name.empty(); }
};

// A word that starts with a dash: what stands between the dashes and `=`, and what follows it.
struct OptionWord {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};
// Nothing for words that are not options: "word", "-", "--", and negative numbers.
bool ReadOptionWord(std::string_view word, OptionWord* out);

class Options {
 public:
  // `usage` is the first line of the help: "mig agents [-t TARGET] [--json]".
  Options(std::string usage, std::string summary)
      : usage_(std::move(usage)), summary_(std::move(summary)) {}

  // Declarations, in the order of the help. What a pointer points to holds the default, is set by
  // Parse, and must live as long as this object. A pure letter option has an empty name.
  void Flag(std::string name, char letter, std::string help, bool* out);
  void Text(std::string name, char letter, std::string value_name, std::string help,
            std::string* out);
  void Choice(std::string name, char letter, std::vector<std::string> choices, std::string help,
              std::string* out);
  void Integer(std::string name, char letter, std::string value_name, std::string help,
               std::uint64_t min, std::uint64_t max, std::uint64_t* out);
  void Size(std::string name, char letter, std::string help, std::uint64_t* out);  // 64k, 8m, 1g
  void Duration(std::string name, char letter, std::string help, std::chrono::milliseconds* out);
  void Add(Option option);
  // A word without a dash; those that are not `required` come last.
  void Word(std::string name, std::string help, bool required, std::string* out);
  void Example(std::string line, std::string what);
  void Note(std::string paragraph);

  // Stops at -h, -help: help_wanted() is true and nothing else counts. Repeating what takes one
  // value is an error: the first one would be without effect.
  // Error: kInvalid, naming the word, near ones and how to get help.
  Expected<void> Parse(std::span<const std::string> arguments);
  bool help_wanted() const { return help_wanted_; }
  // Whether the option of that name was among the words.
  bool Given(std::string_view name_or_letter) const;

  // By name or letter; null when there is none.
  const Option* Find(std::string_view name) const;
  const std::vector<Option>& all() const { return options_; }

  std::string Help() const;
  std::string HelpCommand() const;  // "mig agents --help"
  std::string OptionTable() const;  // the part of the help about options

 private:
  struct Positional {
    std::string name;
    std::string help;
    bool required;
    std::string* out;
  };
  Error Unknown(std::string_view name) const;

  std::string usage_;
  std::string summary_;
  std::vector<Option> options_;
  std::vector<Positional> positionals_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::vector<std::string> notes_;
  std::vector<std::string> given_;
  bool help_wanted_ = false;
};

}  // namespace mig::cli
