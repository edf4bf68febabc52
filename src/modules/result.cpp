#include "modules/result.h"

#include "util/text.h"

namespace mig {

json::object ToJson(const ModuleResult& result) {
  json::object fields;
  fields["foundanything"] = result.foundanything;
  fields["success"] = result.success;
  fields["elements"] = result.elements;
  fields["statistics"] = result.statistics;
  json::value& errors = fields["errors"];
  if (!result.errors.empty()) {
    json::array& list = errors.emplace_array();
    list.reserve(result.errors.size());
    // Errors name files, whose names need not be UTF-8; JSON has to be.
    for (const std::string& error : result.errors) {
      list.emplace_back(IsUtf8(error) ? error : EscapeForTerminal(error));
    }
  }
  if (!result.sandbox.empty()) {
    fields["sandbox"] = result.sandbox;
  }
  if (!result.sandbox_missing.empty()) {
    json::array& missing = fields["sandboxmissing"].emplace_array();
    for (const std::string& what : result.sandbox_missing) missing.emplace_back(what);
  }
  return fields;
}

Expected<ModuleResult> ResultFromJson(const json::object& fields) {
  json::ObjectReader in(fields, "result", json::ObjectReader::Unknown::kIgnore);
  ModuleResult result;
  result.foundanything = in.OptionalBool("foundanything", false);
  result.success = in.OptionalBool("success", false);
  if (const json::value* elements = in.OptionalAny("elements")) result.elements = *elements;
  if (const json::value* statistics = in.OptionalAny("statistics")) {
    result.statistics = *statistics;
  }
  if (const json::value* errors = in.OptionalAny("errors"); errors && !errors->is_null()) {
    result.errors = in.OptionalStrings("errors");
  }
  result.sandbox = in.OptionalString("sandbox");
  result.sandbox_missing = in.OptionalStrings("sandboxmissing");
  if (!result.elements.is_object() && !result.elements.is_null()) {
    in.Fail("elements", "is neither an object nor null");
  }
  if (auto good = in.Finish(); !good) return std::move(good).error();
  return result;
}

ModuleResult FailedResult(std::string error) {
  ModuleResult result;
  result.errors.push_back(std::move(error));
  return result;
}

void ResultJoiner::Add(std::string_view label, json::value element) {
  json::value& list = arrays_[label];
  if (list.is_null()) list.emplace_array();
  list.get_array().push_back(std::move(element));
}

Expected<ModuleResult> ResultJoiner::Finish(ModuleResult summary) && {
  if (arrays_.empty()) return summary;
  if (summary.elements.is_null()) summary.elements.emplace_object();
  if (!summary.elements.is_object()) {
    return Error(Errc::kMalformed, "result: elements is neither an object nor null");
  }
  json::object& elements = summary.elements.get_object();
  for (auto& member : arrays_) {
    json::value& own = elements[member.key()];
    if (own.is_null()) {
      own = std::move(member.value());
    } else if (own.is_array()) {
      json::array& streamed = member.value().get_array();
      for (json::value& element : own.get_array()) streamed.push_back(std::move(element));
      own = std::move(member.value());
    } else {
      return Error(Errc::kMalformed, "result: elements." + std::string(member.key()) +
                                         " is not an array, but elements came for it");
    }
  }
  return summary;
}

bool CollectingSink::Emit(std::string_view label, json::value element) {
  joiner_.Add(label, std::move(element));
  return true;
}

}  // namespace mig
