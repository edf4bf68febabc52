#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cassert>
#include <charconv>
#include <sstream>
#include <utility>

#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kHelp = "help";

constexpr const char* kExpectedFlag = "expected true or false";

Error Usage(std::string message) { return Error(Errc::kInvalid, std::move(message)); }

std::string Spelled(std::string_view name) { return "--" + std::string(name); }

// "-t,--target": how CLI11 wants both names.
std::string Names(const std::string& name, char letter) {
  return (letter != '\0' ? std::string("-") + letter + "," : std::string()) + Spelled(name);
}

// CLI11 reads numbers with strtoull: for it 010 is eight, -1 is 2^64 - 1, and what is too large is
// 2^64 - 1 as well. People at a prompt mean what they type.
Expected<std::uint64_t> ReadWholeNumber(std::string_view text, std::uint64_t min,
                                        std::uint64_t max) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || number < min || number > max) {
    return Usage("expected a whole number " + std::to_string(min) + ".." + std::to_string(max) +
                 ", not `" + std::string(text) + "`");
  }
  return number;
}

// An option's value on its way to `out`, by a reader of ours that gives Expected<T>.
template <typename T, typename Reader>
CLI::callback_t Into(T* out, std::string spelled, Reader read) {
  return [out, spelled = std::move(spelled), read = std::move(read)](const CLI::results_t& given) {
    auto value = read(given.back());
    if (!value) throw CLI::ValidationError(spelled, value.error().message());
    *out = *value;
    return true;
  };
}

// The page of a verb: usage, what it does, words, options, notes and examples.
class HelpPage final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string usage,
                        CLI::AppFormatMode mode) const override {
    return "Usage: " + usage + "\n\n" + app->get_description() + "\n" + make_positionals(app) +
           make_groups(app, mode) + app->get_footer();
  }

  // As wide as its widest row, but for a few very wide ones, which get a line of their own.
  std::string make_group(std::string title, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    constexpr std::size_t kWidest = 26;
    std::size_t width = 0;
    std::vector<std::string> left;
    for (const CLI::Option* option : options) {
      left.push_back(make_option_name(option, is_positional) + make_option_opts(option));
      if (left.back().size() <= kWidest) width = std::max(width, left.back().size());
    }
    if (width == 0) width = kWidest / 2;  // all are wide
    std::ostringstream text;
    text << (is_positional ? "\n" : "\n" + title + ":\n");
    for (std::size_t i = 0; i < options.size(); ++i) {
      // The margin on the left and the gap in the middle are two columns each.
      CLI::detail::format_help(text, left[i], make_option_desc(options[i]), width + 4);
    }
    return text.str();
  }

  // "-t, --target EXPR"
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    if (is_positional) return option->get_name(true);
    const std::vector<std::string>& letters = option->get_snames();
    return (letters.empty() ? "    " : "-" + letters.front() + ", ") +
           Spelled(option->get_lnames().front());
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string& value_name = option->get_option_text();
    return value_name.empty() ? "" : " " + value_name;
  }
};

}  // namespace

struct Options::Impl {
  Impl(std::string usage, std::string summary) : app(std::move(summary), std::move(usage)) {
    app.set_help_flag("-h," + Spelled(kHelp))->group("");  // not shown: every page would repeat it
    app.formatter(std::make_shared<HelpPage>());
  }

  void Declare(const std::string& name, char letter, const std::string& value_name,
               CLI::Option* option) {
    assert(name.size() > 1);
    declared.push_back({name, letter, value_name, option->get_description()});
    option->option_text(value_name);
  }

  const Option* Find(std::string_view name) const;
  Error Unknown(std::string_view name) const;
  Expected<std::vector<std::string>> Normalise(std::span<const std::string> arguments) const;

  CLI::App app;                  // its name is the usage
  std::vector<Option> declared;  // as in `app`
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> examples;
  bool help_wanted = false;
};

const Option* Options::Impl::Find(std::string_view name) const {
  for (const Option& option : declared) {
    if (option.name == name) return &option;
    if (option.letter != '\0' && name.size() == 1 && name[0] == option.letter) return &option;
  }
  return nullptr;
}

Error Options::Impl::Unknown(std::string_view name) const {
  std::vector<std::string> names = {std::string(kHelp)};
  for (const Option& option : declared) names.push_back(option.name);
  const std::string hint = DidYouMean(name, names);
  return Usage("unknown option `" + std::string(name) + "`" + (hint.empty() ? "" : ", " + hint));
}

// The words as CLI11 understands them: options by their long names with two dashes, values in words
// of their own, and after `--` what is no option. By itself CLI11 takes `-name` for the letter n
// and its value "ame", `-t=x` for "=x", and does not see that `--name=` has a value.
Expected<std::vector<std::string>> Options::Impl::Normalise(
    std::span<const std::string> arguments) const {
  std::vector<std::string> normal, words;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    OptionWord word;
    if (arguments[i] == "--") {
      const auto rest = arguments.subspan(i + 1);
      words.insert(words.end(), rest.begin(), rest.end());
      break;
    }
    if (!ReadOptionWord(arguments[i], &word)) {
      words.push_back(arguments[i]);
      continue;
    }
    const Option* option = Find(word.name);
    if (option == nullptr && (word.name == kHelp || word.name == "h")) {
      return std::vector<std::string>{Spelled(kHelp)};
    }
    if (option == nullptr) return Unknown(word.name);
    const std::string spelled = Spelled(option->name);
    if (!option->TakesValue()) {
      if (word.has_value && word.value.empty()) return Usage(spelled + ": " + kExpectedFlag);
      normal.push_back(spelled + (word.has_value ? "=" + std::string(word.value) : ""));
      continue;
    }
    if (!word.has_value && i + 1 == arguments.size()) {
      return Usage("`" + spelled + "` needs a value: " + spelled + " " + option->value_name);
    }
    normal.push_back(spelled);
    normal.push_back(word.has_value ? std::string(word.value) : arguments[++i]);
  }
  normal.emplace_back("--");
  normal.insert(normal.end(), words.begin(), words.end());
  return normal;
}

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

Options::Options(std::string usage, std::string summary)
    : impl_(std::make_unique<Impl>(std::move(usage), std::move(summary))) {}
Options::Options(Options&&) noexcept = default;
Options& Options::operator=(Options&&) noexcept = default;
Options::~Options() = default;

void Options::Flag(const std::string& name, char letter, const std::string& help, bool* out) {
  // CLI11 would take 1, on, y and others, too.
  const auto check = [](const std::string& value) {
    return value == "true" || value == "false" ? std::string() : kExpectedFlag;
  };
  CLI::Option* option = impl_->app.add_flag(Names(name, letter), *out, help)->check(check);
  impl_->Declare(name, letter, "", option->multi_option_policy(CLI::MultiOptionPolicy::Throw));
}

void Options::Text(const std::string& name, char letter, const std::string& value_name,
                   const std::string& help, std::string* out) {
  impl_->Declare(name, letter, value_name, impl_->app.add_option(Names(name, letter), *out, help));
}

void Options::Texts(const std::string& name, char letter, const std::string& value_name,
                    const std::string& help, std::vector<std::string>* out) {
  // Not CLI11's option of a vector: that one takes several words at once, and takes `[a,b]` apart.
  const auto take = [out](const CLI::results_t& given) {
    *out = given;
    return true;
  };
  CLI::Option* option = impl_->app.add_option(Names(name, letter), take, help);
  impl_->Declare(name, letter, value_name,
                 option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
}

void Options::Choice(const std::string& name, char letter, const std::vector<std::string>& choices,
                     const std::string& help, std::string* out) {
  const auto check = [choices, is_member = CLI::IsMember(choices)](const std::string& value) {
    return is_member(value).empty() ? std::string()
                                    : "expected " + Join(choices, ", ") + ", not `" + value + "`";
  };
  CLI::Option* option = impl_->app.add_option(Names(name, letter), *out, help);
  impl_->Declare(name, letter, Join(choices, "|"), option->check(check));
}

void Options::Integer(const std::string& name, char letter, const std::string& value_name,
                      const std::string& help, std::uint64_t min, std::uint64_t max,
                      std::uint64_t* out) {
  const auto read = [min, max](std::string_view text) { return ReadWholeNumber(text, min, max); };
  const CLI::callback_t take = Into(out, Spelled(name), read);
  impl_->Declare(name, letter, value_name, impl_->app.add_option(Names(name, letter), take, help));
}

void Options::Size(const std::string& name, char letter, const std::string& help,
                   std::uint64_t* out) {
  const CLI::callback_t take = Into(out, Spelled(name), ParseSize);
  impl_->Declare(name, letter, "SIZE", impl_->app.add_option(Names(name, letter), take, help));
}

void Options::Duration(const std::string& name, char letter, const std::string& help,
                       std::chrono::milliseconds* out) {
  const CLI::callback_t take = Into(out, Spelled(name), ParseDuration);
  impl_->Declare(name, letter, "TIME", impl_->app.add_option(Names(name, letter), take, help));
}

void Options::Word(const std::string& name, const std::string& help, bool required,
                   std::string* out) {
  impl_->app.add_option(name, *out, help)->required(required);
}

void Options::Example(std::string line, std::string what) {
  impl_->examples.emplace_back(std::move(line), std::move(what));
}

void Options::Note(std::string paragraph) { impl_->notes.push_back(std::move(paragraph)); }

Expected<void> Options::Parse(std::span<const std::string> arguments) {
  impl_->help_wanted = false;
  auto words = impl_->Normalise(arguments);
  if (!words) return std::move(words).error();
  std::reverse(words->begin(), words->end());  // as CLI11 wants it
  CLI::App& app = impl_->app;
  try {
    app.parse(std::move(*words));
  } catch (const CLI::CallForHelp&) {
    impl_->help_wanted = true;
  } catch (const CLI::RequiredError&) {
    const auto missing = app.get_options(
        [](const CLI::Option* word) { return word->get_required() && word->count() == 0; });
    return Usage(missing.front()->get_name() + " is missing; " + app.get_name());
  } catch (const CLI::ArgumentMismatch&) {
    const auto repeated =
        app.get_options([](const CLI::Option* option) { return option->count() > 1; });
    return Usage("`" + repeated.front()->get_name() + "` stands twice");
  } catch (const CLI::ExtrasError&) {
    return Usage("unexpected word `" + app.remaining().at(1) + "`");  // the first is our `--`
  } catch (const CLI::ParseError& error) {
    return Usage(error.what());
  }
  return {};
}

bool Options::help_wanted() const { return impl_->help_wanted; }

bool Options::Given(std::string_view name_or_letter) const {
  const Option* option = Find(name_or_letter);
  return option != nullptr && impl_->app.count(Spelled(option->name)) > 0;
}

const Option* Options::Find(std::string_view name) const { return impl_->Find(name); }

const std::vector<Option>& Options::all() const { return impl_->declared; }

std::string Options::HelpCommand() const {
  // The words of the usage that are typed as they are.
  std::string command;
  for (const std::string_view word : Split(impl_->app.get_name(), ' ')) {
    if (word.empty() || word[0] < 'a' || word[0] > 'z') break;
    command += std::string(word) + " ";
  }
  return command + Spelled(kHelp);
}

std::string Options::Help() const {
  std::string footer;
  for (const std::string& note : impl_->notes) footer += "\n" + note + "\n";
  if (!impl_->examples.empty()) footer += "\nExamples:\n";
  for (const auto& [line, what] : impl_->examples) footer += "  " + line + "\n      " + what + "\n";
  impl_->app.footer(footer);
  return impl_->app.help();
}

}  // namespace mig::cli
