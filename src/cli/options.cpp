#include "cli/options.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"

namespace mig::cli {
namespace {

Error Usage(std::string message) { return Error(Errc::kInvalid, std::move(message)); }

// "-t, --target EXPR"
std::string Signature(const Option& option) {
  std::string text = option.letter != '\0' ? std::string("-") + option.letter : "   ";
  if (!option.name.empty()) {
    text += option.letter != '\0' ? ", --" : " --";
    text += option.name;
  }
  if (option.TakesValue()) text += " " + option.value_name;
  return text;
}

// As people typed it or would: "--target", or "-f" for what has only a letter.
std::string Spelled(const Option& option) {
  return option.name.empty() ? std::string("-") + option.letter : "--" + option.name;
}

std::string Columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  constexpr std::size_t kWidest = 26;  // a longer left side gets a line of its own
  std::size_t width = 0;
  for (const auto& [left, right] : rows) {
    if (left.size() <= kWidest) width = std::max(width, left.size());
  }
  std::string text;
  for (const auto& [left, right] : rows) {
    text += "  " + left;
    if (left.size() > kWidest) {
      text += "\n" + std::string(width + 4, ' ');
    } else {
      text += std::string(width + 2 - left.size(), ' ');
    }
    text += right + "\n";
  }
  return text;
}

}  // namespace

bool ReadOptionWord(std::string_view word, OptionWord* out) {
  if (word.size() < 2 || word[0] != '-') return false;
  word.remove_prefix(word[1] == '-' ? 2 : 1);
  if (word.empty() || (word[0] >= '0' && word[0] <= '9') || word[0] == '=') return false;
  const std::size_t equals = word.find('=');
  out->name = word.substr(0, equals);
  out->has_value = equals != std::string_view::npos;
  out->value = out->has_value ? word.substr(equals + 1) : std::string_view();
  return true;
}

void Options::Add(Option option) {
  assert(!option.name.empty() || option.letter != '\0');
  assert(option.name.empty() || Find(option.name) == nullptr);
  assert(option.letter == '\0' || Find(std::string_view(&option.letter, 1)) == nullptr);
  options_.push_back(std::move(option));
}

void Options::Flag(std::string name, char letter, std::string help, bool* out) {
  Option option{std::move(name), letter, "", std::move(help), {}, false, {}};
  option.take = [out](std::string_view value) -> Expected<void> {
    if (value != "true" && value != "false") return Usage("expected true or false");
    *out = value == "true";
    return {};
  };
  Add(std::move(option));
}

void Options::Text(std::string name, char letter, std::string value_name, std::string help,
                   std::string* out) {
  Option option{std::move(name), letter, std::move(value_name), std::move(help), {}, false, {}};
  option.take = [out](std::string_view value) -> Expected<void> {
    *out = value;
    return {};
  };
  Add(std::move(option));
}

void Options::Choice(std::string name, char letter, std::vector<std::string> choices,
                     std::string help, std::string* out) {
  Option option{std::move(name), letter, Join(choices, "|"), std::move(help), choices, false, {}};
  option.take = [out, choices](std::string_view value) -> Expected<void> {
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
      return Usage("expected " + Join(choices, ", ") + ", not `" + std::string(value) + "`");
    }
    *out = value;
    return {};
  };
  Add(std::move(option));
}

void Options::Integer(std::string name, char letter, std::string value_name, std::string help,
                      std::uint64_t min, std::uint64_t max, std::uint64_t* out) {
  Option option{std::move(name), letter, std::move(value_name), std::move(help), {}, false, {}};
  option.take = [min, max, out](std::string_view value) -> Expected<void> {
    std::uint64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc() || stopped != end || number < min || number > max) {
      return Usage("expected a whole number " + std::to_string(min) + ".." + std::to_string(max) +
                   ", not `" + std::string(value) + "`");
    }
    *out = number;
    return {};
  };
  Add(std::move(option));
}

void Options::Size(std::string name, char letter, std::string help, std::uint64_t* out) {
  Option option{std::move(name), letter, "SIZE", std::move(help), {}, false, {}};
  option.take = [out](std::string_view value) -> Expected<void> {
    auto size = ParseSize(value);
    if (!size) return std::move(size).error();
    *out = *size;
    return {};
  };
  Add(std::move(option));
}

void Options::Duration(std::string name, char letter, std::string help,
                       std::chrono::milliseconds* out) {
  Option option{std::move(name), letter, "TIME", std::move(help), {}, false, {}};
  option.take = [out](std::string_view value) -> Expected<void> {
    auto duration = ParseDuration(value);
    if (!duration) return std::move(duration).error();
    *out = *duration;
    return {};
  };
  Add(std::move(option));
}

void Options::Word(std::string name, std::string help, bool required, std::string* out) {
  assert(positionals_.empty() || positionals_.back().required || !required);
  positionals_.push_back({std::move(name), std::move(help), required, out});
}

void Options::Example(std::string line, std::string what) {
  examples_.emplace_back(std::move(line), std::move(what));
}

void Options::Note(std::string paragraph) { notes_.push_back(std::move(paragraph)); }

const Option* Options::Find(std::string_view name) const {
  for (const Option& option : options_) {
    if (!option.name.empty() && option.name == name) return &option;
    if (option.letter != '\0' && name.size() == 1 && name[0] == option.letter) return &option;
  }
  return nullptr;
}

bool Options::Given(std::string_view name_or_letter) const {
  const Option* option = Find(name_or_letter);
  return option != nullptr &&
         std::find(given_.begin(), given_.end(), Spelled(*option)) != given_.end();
}

Error Options::Unknown(std::string_view name) const {
  std::vector<std::string> names = {"help"};
  for (const Option& option : options_) {
    if (!option.name.empty()) names.push_back(option.name);
  }
  const std::string hint = DidYouMean(name, names);
  return Usage("unknown option `" + std::string(name) + "`" + (hint.empty() ? "" : ", " + hint));
}

Expected<void> Options::Parse(std::span<const std::string> arguments) {
  help_wanted_ = false;
  given_.clear();
  std::size_t words = 0;
  bool only_words = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    OptionWord word;
    if (!only_words && argument == "--") {
      only_words = true;
      continue;
    }
    if (only_words || !ReadOptionWord(argument, &word)) {
      if (words == positionals_.size()) return Usage("unexpected word `" + argument + "`");
      *positionals_[words++].out = argument;
      continue;
    }
    const Option* option = Find(word.name);
    if (option == nullptr && (word.name == "help" || word.name == "h")) {
      help_wanted_ = true;
      return {};
    }
    if (option == nullptr) return Unknown(word.name);
    const std::string spelled = Spelled(*option);
    if (!option->repeatable && Given(word.name)) return Usage("`" + spelled + "` stands twice");
    std::string_view value = word.value;
    if (option->TakesValue() && !word.has_value) {
      if (++i == arguments.size()) {
        return Usage("`" + spelled + "` needs a value: " + spelled + " " + option->value_name);
      }
      value = arguments[i];
    } else if (!option->TakesValue() && !word.has_value) {
      value = "true";
    }
    given_.push_back(spelled);
    if (auto taken = option->take(value); !taken) return std::move(taken).error().During(spelled);
  }
  if (words < positionals_.size() && positionals_[words].required) {
    return Usage(positionals_[words].name + " is missing; " + usage_);
  }
  return {};
}

std::string Options::OptionTable() const {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Option& option : options_) rows.emplace_back(Signature(option), option.help);
  return Columns(rows);
}

std::string Options::HelpCommand() const {
  // The words of the usage line that are typed as they are.
  std::string command;
  for (const std::string_view word : Split(usage_, ' ')) {
    if (word.empty() || word[0] < 'a' || word[0] > 'z') break;
    command += std::string(word) + " ";
  }
  return command + "--help";
}

std::string Options::Help() const {
  std::string text = "Usage: " + usage_ + "\n\n" + summary_ + "\n";
  if (!positionals_.empty()) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Positional& word : positionals_) rows.emplace_back(word.name, word.help);
    text += "\n" + Columns(rows);
  }
  if (!options_.empty()) text += "\nOptions:\n" + OptionTable();
  for (const std::string& note : notes_) text += "\n" + note + "\n";
  if (!examples_.empty()) text += "\nExamples:\n";
  for (const auto& [line, what] : examples_) text += "  " + line + "\n      " + what + "\n";
  return text;
}

}  // namespace mig::cli
