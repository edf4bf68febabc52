// The parameters object: checked against a module's declaration, and made from the words of a
// command line.
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "modules/module.h"
#include "proto/attachment_references.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::string_view kSearchesField = "searches";
constexpr std::string_view kLabelFlag = "label";
constexpr std::string_view kFirstLabel = "s1";
constexpr std::size_t kMaxLabelBytesTyped = 64;  // as in MIG

Error Invalid(std::string message) { return Error(Errc::kInvalid, std::move(message)); }

Expected<void> CheckLabel(std::string_view label) {
  bool good = !label.empty() && label.size() <= kMaxLabelBytesTyped && IsUtf8(label);
  for (const char c : label) good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  if (good) return {};
  return Invalid("searches: the label `" + EscapeForTerminal(label) +
                 "` is not 1 to 64 printable characters");
}

// ---- Checking

std::string Choices(const Parameter& parameter) {
  std::vector<std::string> names(parameter.choices.begin(), parameter.choices.end());
  return Join(names, ", ");
}

Expected<void> CheckChoice(const Parameter& parameter, std::string_view text,
                           const std::string& where) {
  if (parameter.choices.empty()) return {};
  for (const std::string_view choice : parameter.choices) {
    if (choice == text) return {};
  }
  return Invalid(where + ": `" + EscapeForTerminal(text) + "` is not one of " + Choices(parameter));
}

Expected<void> CheckItem(const Parameter& parameter, const json::value& item,
                         const std::string& where) {
  if (parameter.type == ParameterType::kNames) {
    auto name = json::ToName(item);
    if (!name) return std::move(name).error().During(where);
    return {};
  }
  if (!item.is_string()) return Invalid(where + ": is not a string");
  return CheckChoice(parameter, item.get_string(), where);
}

Expected<void> CheckValue(const Parameter& parameter, const json::value& value,
                          const std::string& where) {
  switch (parameter.type) {
    case ParameterType::kFlag:
      if (!value.is_bool()) return Invalid(where + ": is neither true nor false");
      return {};
    case ParameterType::kInteger: {
      std::optional<std::int64_t> number;
      if (value.is_int64()) number = value.get_int64();
      if (!number) return Invalid(where + ": is not a whole number");
      if (*number < parameter.min || *number > parameter.max) {
        return Invalid(where + ": " + std::to_string(*number) + " is not " +
                       std::to_string(parameter.min) + ".." + std::to_string(parameter.max));
      }
      return {};
    }
    case ParameterType::kText:
      return CheckItem(parameter, value, where);
    case ParameterType::kTexts:
    case ParameterType::kNames: {
      if (!value.is_array()) return Invalid(where + ": is not a list");
      std::size_t index = 0;
      for (const json::value& item : value.get_array()) {
        const std::string place = where + "[" + std::to_string(index++) + "]";
        if (AttachmentReference(item)) continue;
        if (auto good = CheckItem(parameter, item, place); !good) return good;
      }
      if (parameter.required && index == 0) return Invalid(where + ": is empty");
      return {};
    }
  }
  return {};
}

// Checks one object of the parameters: `prefix` is where its fields stand in the declaration
// ("options."), `where` in this document ("searches.s1.options").
Expected<void> CheckObject(const Module& module, const json::object& fields,
                           const std::string& prefix, const std::string& where) {
  const auto place = [&](std::string_view name) {
    return where.empty() ? std::string(name) : where + "." + std::string(name);
  };
  std::set<std::string> known;
  for (const Parameter& parameter : module.parameters) {
    if (!parameter.field.starts_with(prefix)) continue;
    const std::string_view rest = parameter.field.substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('.')));
    const bool nested = name.size() < rest.size();
    const bool first_time = known.insert(name).second;
    const json::value* value = fields.if_contains(name);
    if (value != nullptr && value->is_null()) value = nullptr;
    if (value == nullptr) {
      if (parameter.required) return Invalid(place(name) + ": is missing");
      continue;
    }
    if (!nested) {
      if (auto good = CheckValue(parameter, *value, place(name)); !good) return good;
    } else if (first_time) {
      if (!value->is_object()) return Invalid(place(name) + ": is not an object");
      auto good = CheckObject(module, value->get_object(), prefix + name + ".", place(name));
      if (!good) return good;
    }
  }
  for (const auto& member : fields) {
    const std::string name(member.key());
    if (known.contains(name)) continue;
    const std::vector<std::string> names(known.begin(), known.end());
    const std::string hint = DidYouMean(name, names);
    return Error(Errc::kUnsupported, place(EscapeForTerminal(name)) + ": the module " +
                                         std::string(module.name) + " has no such parameter" +
                                         (hint.empty() ? "" : ", " + hint));
  }
  return {};
}

// ---- Command line

std::string WithDash(std::string_view flag) { return "-" + std::string(flag); }

const Parameter* FindFlag(const Module& module, std::string_view flag) {
  for (const Parameter& parameter : module.parameters) {
    if (!parameter.flag.empty() && parameter.flag == flag) return &parameter;
  }
  return nullptr;
}

json::value& FieldOf(json::object& fields, std::string_view path) {
  json::object* object = &fields;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    json::value& inner = (*object)[path.substr(0, dot)];
    if (!inner.is_object()) inner.emplace_object();
    object = &inner.get_object();
    path.remove_prefix(dot + 1);
  }
  return (*object)[path];
}

Expected<json::value> ValueFromText(const Parameter& parameter, std::string_view text,
                                    const std::string& flag) {
  switch (parameter.type) {
    case ParameterType::kFlag:
      if (text == "true") return json::value(parameter.flag_means);
      if (text == "false") return json::value(!parameter.flag_means);
      return Invalid(flag + ": `" + EscapeForTerminal(text) + "` is neither true nor false");
    case ParameterType::kInteger: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) {
        return Invalid(flag + ": `" + EscapeForTerminal(text) + "` is not a whole number");
      }
      return json::value(number);
    }
    case ParameterType::kNames:
      return json::FromName(text);
    case ParameterType::kText:
    case ParameterType::kTexts:
      if (!IsUtf8(text)) return Invalid(flag + ": the value is not UTF-8");
      return json::value(text);
  }
  return Error(Errc::kInternal, "a parameter type without a case");
}

constexpr std::size_t kMaxAttachmentName = 64;  // wire.md, "Action"

// "my hashes!.txt" -> "my-hashes-.txt", as an attachment may be called.
std::string AttachmentName(std::string_view file) {
  std::string name;
  for (const char c : file.substr(file.rfind('/') + 1)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (name.empty() && !plain) continue;
    name += plain || c == '.' || c == '_' || c == '-' ? c : '-';
    if (name.size() == kMaxAttachmentName - 4) break;  // room to tell it from another
  }
  return name.empty() ? "list" : name;
}

// The reference to `file`, which gets a name of its own the first time.
json::value ReferTo(std::string_view file, std::vector<NamedFile>& files) {
  const std::string name = AttachmentName(file);
  std::string free = name;
  int number = 2;
  for (bool taken = true; taken;) {
    taken = false;
    for (const NamedFile& known : files) {
      if (known.file == file) return MakeAttachmentReference(known.name);
      taken = taken || known.name == free;
    }
    if (taken) free = name + "-" + std::to_string(number++);
  }
  files.push_back({free, std::string(file)});
  return MakeAttachmentReference(free);
}

bool IsList(const Parameter& parameter) {
  return parameter.type == ParameterType::kTexts || parameter.type == ParameterType::kNames;
}

// What `-flag @file` means.
Expected<json::value> FileReference(const Parameter& parameter, std::string_view file,
                                    std::vector<NamedFile>* files) {
  const std::string flag = WithDash(parameter.flag);
  if (!IsList(parameter)) {
    return Invalid(flag +
                   ": takes no list that a file could hold; a value that begins with @ is "
                   "written @@");
  }
  if (files == nullptr) {
    return Invalid(flag +
                   ": @FILE attaches a file to an action, with `mig query`; a value that "
                   "begins with @ is written @@");
  }
  if (file.empty()) return Invalid(flag + ": names no file after the @");
  return ReferTo(file, *files);
}

// The fields of one search (or of the whole object) while its words are read.
struct Typed {
  json::object fields;
  std::map<std::string, std::string, std::less<>> given;  // field -> flag that set it

  Expected<void> Set(const Parameter& parameter, json::value value) {
    const std::string flag = WithDash(parameter.flag);
    json::value& field = FieldOf(fields, parameter.field);
    if (IsList(parameter)) {
      if (!field.is_array()) field.emplace_array();
      field.get_array().push_back(std::move(value));
      return {};
    }
    const auto [before, first] = given.emplace(parameter.field, flag);
    if (!first && field != value) {
      return before->second == flag ? Invalid(flag + " is given twice")
                                    : Invalid(before->second + " and " + flag + " contradict");
    }
    field = std::move(value);
    return {};
  }
};

// Puts in what was not typed.
Expected<void> AddDefaults(const Module& module, Typed& typed) {
  for (const Parameter& parameter : module.parameters) {
    if (parameter.typed.empty() || typed.given.contains(parameter.field)) continue;
    auto value = ValueFromText(parameter, parameter.typed, WithDash(parameter.flag));
    if (!value) return std::move(value).error();
    FieldOf(typed.fields, parameter.field) = std::move(*value);
  }
  return {};
}

Error UnknownFlag(const Module& module, std::string_view flag) {
  std::vector<std::string> flags;
  for (const Parameter& parameter : module.parameters) {
    if (!parameter.flag.empty()) flags.emplace_back(parameter.flag);
  }
  if (module.layout == Layout::kSearches) flags.emplace_back(kLabelFlag);
  const std::string hint = DidYouMean(flag, flags);
  return Invalid("the module " + std::string(module.name) + " has no flag `" +
                 WithDash(EscapeForTerminal(flag)) + "`" +
                 (hint.empty() ? "; see mig help " + std::string(module.name) : ", " + hint));
}

}  // namespace

Expected<void> CheckParameters(const Module& module, const json::object& parameters) {
  if (module.layout == Layout::kSearches) {
    json::ObjectReader in(parameters, "");
    const json::object* searches = in.Object(kSearchesField);
    if (auto good = in.Finish(); !good) return good;
    if (searches->empty()) return Invalid("searches: is empty");
    for (const auto& member : *searches) {
      if (auto good = CheckLabel(member.key()); !good) return good;
      const std::string where = "searches." + std::string(member.key());
      if (!member.value().is_object()) return Invalid(where + ": is not an object");
      auto good = CheckObject(module, member.value().get_object(), "", where);
      if (!good) return good;
    }
  } else if (auto good = CheckObject(module, parameters, "", ""); !good) {
    return good;
  }
  // A module reads what stands there; what a reference stands for is not there yet.
  if (module.check == nullptr || !ReferencedAttachments(parameters).empty()) return {};
  return module.check(parameters);
}

Expected<json::object> ParametersFromArguments(const Module& module,
                                               std::span<const std::string> arguments,
                                               std::vector<NamedFile>* files) {
  json::object searches;
  std::string label(kFirstLabel);
  Typed typed;
  const auto close_search = [&]() -> Expected<void> {
    if (searches.contains(label)) return Invalid("-label: `" + label + "` is given twice");
    if (auto good = CheckLabel(label); !good) return good;
    if (auto good = AddDefaults(module, typed); !good) return good;
    searches.emplace(label, std::move(typed.fields));
    typed = Typed();
    return {};
  };

  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word.size() < 2 || word[0] != '-') {
      return Invalid("`" + EscapeForTerminal(word) + "` belongs to no flag of the module " +
                     std::string(module.name));
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = word.find('=');
    const std::string_view flag = word.substr(0, equals);
    std::optional<std::string_view> text;
    if (equals != std::string_view::npos) text = word.substr(equals + 1);

    const bool is_label = module.layout == Layout::kSearches && flag == kLabelFlag;
    const Parameter* parameter = is_label ? nullptr : FindFlag(module, flag);
    if (!is_label && parameter == nullptr) return UnknownFlag(module, flag);
    if (!text && parameter != nullptr && parameter->type == ParameterType::kFlag) text = "true";
    if (!text) {
      if (i + 1 == arguments.size()) {
        return Invalid(WithDash(flag) + " wants a value" +
                       (parameter == nullptr || parameter->value_name.empty()
                            ? ""
                            : ": " + WithDash(flag) + " " + std::string(parameter->value_name)));
      }
      text = arguments[++i];
    }
    if (is_label) {
      if (i > 1 || !typed.fields.empty()) {
        if (auto good = close_search(); !good) return std::move(good).error();
      }
      label = *text;
      continue;
    }
    if (text->starts_with("@@")) {
      text->remove_prefix(1);
    } else if (text->starts_with('@')) {
      auto reference = FileReference(*parameter, text->substr(1), files);
      if (!reference) return std::move(reference).error();
      if (auto good = typed.Set(*parameter, std::move(*reference)); !good) {
        return std::move(good).error();
      }
      continue;
    }
    auto value = ValueFromText(*parameter, *text, WithDash(flag));
    if (!value) return std::move(value).error();
    if (auto good = typed.Set(*parameter, std::move(*value)); !good) {
      return std::move(good).error();
    }
  }

  json::object parameters;
  if (module.layout == Layout::kSearches) {
    if (auto good = close_search(); !good) return std::move(good).error();
    parameters.emplace(kSearchesField, std::move(searches));
  } else {
    if (auto good = AddDefaults(module, typed); !good) return std::move(good).error();
    parameters = std::move(typed.fields);
  }
  if (auto good = CheckParameters(module, parameters); !good) return std::move(good).error();
  return parameters;
}

}  // namespace mig
