// The words after a verb, as MIG's users type them: one dash or two before a long name, `-x v` or
// `-x=v`, and a letter for what is typed often. One declaration makes the parser, the help and the
// shell completion of a verb. Letters are not bundled: `-vf` is the long name "vf".
//
// CLI11 does the parsing and the page, in options.cpp alone: its header costs seconds to compile.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace mig::cli {

struct Option {
  std::string name;        // "target", without dashes
  char letter = '\0';      // 't', or none
  std::string value_name;  // "EXPR" in the help; empty: a flag, which takes no value
  std::string help;        // one line, no full stop

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
  Options(std::string usage, std::string summary);
  Options(Options&&) noexcept;
  Options& operator=(Options&&) noexcept;
  ~Options();

  // Declarations, in the order of the help; a name has two characters or more. What a
  // pointer points to holds the default, is set by Parse, and must live as long as this object.
  void Flag(const std::string& name, char letter, const std::string& help, bool* out);
  void Text(const std::string& name, char letter, const std::string& value_name,
            const std::string& help, std::string* out);
  // May be given more than once.
  void Texts(const std::string& name, char letter, const std::string& value_name,
             const std::string& help, std::vector<std::string>* out);
  void Choice(const std::string& name, char letter, const std::vector<std::string>& choices,
              const std::string& help, std::string* out);
  void Integer(const std::string& name, char letter, const std::string& value_name,
               const std::string& help, std::uint64_t min, std::uint64_t max, std::uint64_t* out);
  // 64k, 8m, 1g
  void Size(const std::string& name, char letter, const std::string& help, std::uint64_t* out);
  void Duration(const std::string& name, char letter, const std::string& help,
                std::chrono::milliseconds* out);
  // A word without a dash; those that are not `required` come last.
  void Word(const std::string& name, const std::string& help, bool required, std::string* out);
  void Example(std::string line, std::string what);
  void Note(std::string paragraph);

  // At -h, -help nothing else counts: help_wanted() is true, and no value was set. Repeating what
  // takes one value is an error: the first one would be without effect.
  // Error: kInvalid, naming the word, near ones and what was expected.
  Expected<void> Parse(std::span<const std::string> arguments);
  bool help_wanted() const;
  // Whether the option of that name was among the words.
  bool Given(std::string_view name_or_letter) const;

  // By name or letter; null when there is none.
  const Option* Find(std::string_view name) const;
  const std::vector<Option>& all() const;

  std::string Help() const;
  std::string HelpCommand() const;  // "mig agents --help"

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mig::cli
