// What people read about a module, printed from its declaration.
#include <set>

#include <algorithm>

#include "modules/module.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kHelpColumn = 26;
constexpr std::size_t kHelpWidth = 100;

bool IsList(const Parameter& parameter) {
  return parameter.type == ParameterType::kTexts || parameter.type == ParameterType::kNames;
}

// "regex, repeatable", "whole number", …: what stands behind the flag.
std::string ValueText(const Parameter& parameter) {
  if (!parameter.value_name.empty()) return std::string(parameter.value_name);
  switch (parameter.type) {
    case ParameterType::kFlag:
      return "";
    case ParameterType::kInteger:
      return "N";
    case ParameterType::kText:
    case ParameterType::kTexts:
      return "TEXT";
    case ParameterType::kNames:
      return "PATH";
  }
  return "";
}

// "default 1000", "default 1000; in JSON unlimited".
std::string DefaultText(const Parameter& parameter) {
  if (parameter.typed.empty() && parameter.absent.empty()) return "";
  if (parameter.flag.empty() || parameter.typed == parameter.absent || parameter.typed.empty()) {
    return std::string(parameter.absent);
  }
  if (parameter.absent.empty()) return std::string(parameter.typed);
  return std::string(parameter.typed) + "; in JSON " + std::string(parameter.absent);
}

std::string Remarks(const Parameter& parameter) {
  std::string text(parameter.help);
  if (!parameter.choices.empty()) {
    text += " One of";
    bool first = true;
    for (const std::string_view choice : parameter.choices) {
      text += (first ? " " : ", ") + std::string(choice);
      first = false;
    }
    text += ".";
  }
  return text;
}

}  // namespace

std::string ModuleHelp(const Module& module) {
  const std::string name(module.name);
  std::string text = name + ": " + std::string(module.summary) + "\n\n";
  text += "  mig query " + name + " " + std::string(module.example) + "\n";
  text += "  mig query " + name + " -t local …   asks this machine, without a server\n\n";
  for (const Parameter& parameter : module.parameters) {
    if (parameter.flag.empty()) continue;
    std::string left = "  -" + std::string(parameter.flag);
    if (const std::string value = ValueText(parameter); !value.empty()) left += " " + value;
    if (left.size() + 2 > kHelpColumn) {
      left += "\n" + std::string(kHelpColumn, ' ');
    } else {
      left.resize(kHelpColumn, ' ');
    }
    std::string right = Remarks(parameter);
    std::string notes;
    if (parameter.required) notes += "required";
    if (IsList(parameter)) notes += std::string(notes.empty() ? "" : ", ") + "repeatable";
    if (const std::string value = DefaultText(parameter); !value.empty()) {
      notes += (notes.empty() ? "default " : ", default ") + value;
    }
    if (!notes.empty()) right += " (" + notes + ")";
    text += left + WrapText(right, kHelpColumn, kHelpWidth) + "\n";
  }
  if (module.layout == Layout::kSearches) {
    std::string left = "  -label NAME";
    left.resize(kHelpColumn, ' ');
    text += left + "Begins another search in the same run; the first is s1 unless named.\n";
  }
  if (std::any_of(module.parameters.begin(), module.parameters.end(), IsList)) {
    text +=
        "\nA repeatable flag also takes @FILE: each line of that file, but for empty ones and "
        "those that\nbegin with #. The file goes with the action. A value's own first @ is "
        "written @@.\n";
  }
  text += "\nRuns on " + Describe(module.platforms) +
          "; its process may use: " + Describe(module.rights) +
          (module.more_rights.empty() ? "" : "; with some parameters also: ") +
          (module.more_rights.empty() ? "" : Describe(module.more_rights)) + ".\n";
  if (!module.privacy.empty()) {
    text += "With `privacy: true` an agent masks " + std::string(module.privacy) + ".\n";
  }
  return text;
}

std::string ModuleParameterTable(const Module& module) {
  std::string text = "| flag | JSON | value | default | meaning |\n|---|---|---|---|---|\n";
  const auto code = [](const std::string& inner) { return inner.empty() ? "" : "`" + inner + "`"; };
  for (const Parameter& parameter : module.parameters) {
    text += "| " + code(parameter.flag.empty() ? "" : "-" + std::string(parameter.flag)) + " | " +
            code(std::string(parameter.field)) + " | " + ValueText(parameter) +
            (IsList(parameter) ? ", repeatable" : "") + (parameter.required ? ", required" : "") +
            " | " + DefaultText(parameter) + " | " + Remarks(parameter) + " |\n";
  }
  return text;
}

}  // namespace mig
