#include "roles/client/query_arguments.h"

#include "util/text.h"

namespace mig {
namespace {

// What a module says of an option: nothing, a bare word, or a word with a value.
enum class Declared { kNo, kFlag, kValue };

Declared DeclaredBy(const Module& module, std::string_view name) {
  if (module.layout == Layout::kSearches && name == "label") return Declared::kValue;
  for (const Parameter& parameter : module.parameters) {
    if (parameter.flag.empty() || parameter.flag != name) continue;
    return parameter.type == ParameterType::kFlag ? Declared::kFlag : Declared::kValue;
  }
  return Declared::kNo;
}

Error Unknown(const cli::Options& own, const Module& module, std::string_view name) {
  std::vector<std::string> known = {"help"};
  for (const cli::Option& option : own.all()) {
    if (!option.name.empty()) known.push_back(option.name);
  }
  for (const Parameter& parameter : module.parameters) {
    if (!parameter.flag.empty()) known.emplace_back(parameter.flag);
  }
  const std::string hint = DidYouMean(name, known);
  return Error(Errc::kInvalid,
               "unknown option `" + std::string(name) + "`" +
                   (hint.empty() ? "; `mig help " + std::string(module.name) + "` lists them"
                                 : ", " + hint));
}

}  // namespace

Expected<QueryArguments> SplitQueryArguments(const cli::Options& own, const Module& module,
                                             std::span<const std::string> words) {
  QueryArguments split;
  bool in_module = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    cli::OptionWord option;
    if (!cli::ReadOptionWord(words[i], &option)) {
      split.module.push_back(words[i]);  // no module takes bare words: it says so better than we
      continue;
    }
    const cli::Option* mine = own.Find(option.name);
    const bool help = option.name == "help" || option.name == "h";
    if (mine == nullptr && !help) in_module = true;
    const Declared declared = in_module ? DeclaredBy(module, option.name) : Declared::kNo;
    if (declared == Declared::kNo && mine == nullptr && !help) {
      return Unknown(own, module, option.name);
    }
    std::vector<std::string>& side = declared == Declared::kNo ? split.own : split.module;
    const bool takes_value = declared == Declared::kNo ? mine != nullptr && mine->TakesValue()
                                                       : declared == Declared::kValue;
    side.push_back(words[i]);
    // A value that is missing is complained about by whoever wanted it.
    if (takes_value && !option.has_value && i + 1 < words.size()) side.push_back(words[++i]);
  }
  return split;
}

}  // namespace mig
