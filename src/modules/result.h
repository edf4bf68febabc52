// What a module answers, in MIG's result format, and how the pieces of a streamed answer are put
// together. The frames that carry the pieces are modules/frames.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"
#include "util/json.h"

namespace mig {

// {"foundanything": bool, "success": bool, "elements": …, "statistics": …, "errors": [text]|null,
//  "sandbox": text, "sandboxmissing": [text]}; the last two only when there is something to say
struct ModuleResult {
  bool foundanything = false;
  bool success = false;
  json::value elements;    // an object, or null after a failure
  json::value statistics;  // an object, or null
  std::vector<std::string> errors;
  // Ours beside MIG's: under which sandbox it ran ("full", "partial", "none"; empty: not said), and
  // what that one lacked.
  std::string sandbox;
  std::vector<std::string> sandbox_missing;
};

json::object ToJson(const ModuleResult& result);

// Error: kMalformed. Fields that are not known are ignored: a newer agent may say more.
Expected<ModuleResult> ResultFromJson(const json::object& fields);

// A module's answer when it could not run at all: success false, no elements, one error.
ModuleResult FailedResult(std::string error);

// Where a running module hands its elements, one by one, so that a million of them never stand in
// memory. The summary, which the run returns, ends the stream.
class ElementSink {
 public:
  virtual ~ElementSink() = default;

  // Appends `element` to the array `label` of the result's elements. False when a limit (rows,
  // bytes) is reached, or nobody reads any more: that element was dropped, and the module ends its
  // run with what it has; whoever owns the sink notes `truncated` in the statistics.
  [[nodiscard]] virtual bool Emit(std::string_view label, json::value element) = 0;
};

// Puts a streamed answer back together: the summary, with the elements that came before it, in
// their order, at the start of the array of their label. kMalformed when the summary has something
// else than an array under such a label.
class ResultJoiner {
 public:
  void Add(std::string_view label, json::value element);
  Expected<ModuleResult> Finish(ModuleResult summary) &&;

 private:
  json::object arrays_;
};

// A sink that keeps everything, for tests and for modules that run inside this process.
class CollectingSink : public ElementSink {
 public:
  bool Emit(std::string_view label, json::value element) override;
  ResultJoiner Take() { return std::move(joiner_); }

 private:
  ResultJoiner joiner_;
};

}  // namespace mig
