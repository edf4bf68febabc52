// What a module is: one declaration, from which the command line, the help, the documentation and
// the check of its parameters come. A module answers one kind of question or does one kind of
// thing. It runs in a sandboxed child process (roles/module); this header starts no process.
//
// To add one: write src/modules/NAME.cpp with `extern const Module kNameModule`, add its line to
// modules.inc, its page to docs/modules, its test to test/modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "modules/result.h"
#include "os/platform.h"
#include "os/rights.h"
#include "proto/kind.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

enum class ParameterType {
  kFlag,     // JSON true or false; on the command line the bare word, or -word=false
  kInteger,  // a whole number in [min, max]
  kText,     // one string
  kTexts,    // an array of strings; on the command line the flag is repeated
  kNames,    // as kTexts, for file names: an element may be {"b64": …} (proto/wire.md)
};

// One parameter. Its JSON place and its flag have separate names because MIG's users type `-path`
// and MIG's actions say `paths`.
struct Parameter {
  std::string_view flag;   // what is typed, without dashes; empty: only in JSON
  std::string_view field;  // where it stands in JSON, with dots for nesting: "options.maxdepth"
  ParameterType type = ParameterType::kText;
  std::string_view help;             // one sentence
  std::string_view value_name = {};  // in help: "REGEX"
  bool required = false;
  std::int64_t min = 0;  // for kInteger
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  // What it is when JSON does not say, and what the command line puts in when it is not typed; for
  // some of MIG's parameters these differ. As text; empty: nothing.
  std::string_view absent = {};
  std::string_view typed = {};
  std::span<const std::string_view> choices = {};  // for texts: the only values allowed
  bool flag_means = true;  // for kFlag: what the bare word sets (-matchany means matchall false)
};

// How the parameters object is laid out.
enum class Layout {
  kFlat,      // {"destination": …, "count": …}
  kSearches,  // {"searches": {LABEL: {…}, …}}: several questions in one run, answered by label
};

// What a run may use besides its parameters.
struct RunContext {
  ElementSink& sink;
  UtcTime now;  // the start of the run; a module does not ask the clock for what ages mean
  std::size_t threads = 1;      // in how many it may work; the sink takes one call at a time
  std::uint64_t read_rate = 0;  // bytes that it may read from files in a second; 0: any
  bool more_rights = true;      // the process has Module::more_rights
};

struct Module {
  std::string_view name;
  Kind kind = Kind::kInvestigate;  // compiled in: looking and acting are different modules
  int version = 1;                 // raised with every change of parameters or elements
  std::string_view summary;        // one line
  std::string_view example;        // the words after `mig query NAME`, for the help
  std::span<const Parameter> parameters;
  Layout layout = Layout::kFlat;
  os::Platforms platforms;
  os::Rights rights;
  // What only some parameters take, and whether these do. They need not have been checked. Null:
  // none does.
  os::Rights more_rights;
  bool (*needs_more)(const json::object& parameters) = nullptr;
  std::string_view privacy;  // what `privacy: true` masks, for the help; empty: nothing

  // What the declaration of the parameters cannot say: that a regex compiles, that two of them do
  // not contradict each other. Called after CheckParameters' own checks. May be null.
  Expected<void> (*check)(const json::object& parameters) = nullptr;

  // Answers. Elements go to the sink; what is returned ends the stream, its own elements joined to
  // those (ResultJoiner). The parameters have been checked. Error: the run as a whole failed.
  Expected<ModuleResult> (*run)(const json::object& parameters, RunContext& context) = nullptr;

  // The elements of a result, or any part of them, as lines for a person. `found_only` leaves out
  // "nothing found". Text from endpoints is not escaped here.
  std::vector<std::string> (*print)(const json::value& elements, bool found_only) = nullptr;

  // The statistics as lines, without the errors. Null: no such lines.
  std::vector<std::string> (*print_statistics)(const json::value& statistics) = nullptr;

  // Masks what may name a person's things, for agents with `privacy: true`. Each element goes
  // through mask_element, the summary through mask_summary; errors are masked by the framework.
  void (*mask_element)(json::value& element) = nullptr;
  void (*mask_summary)(ModuleResult& summary) = nullptr;
};

// What a run with these parameters may use. Whoever starts the child decides by it, because the
// child is in its sandbox before it reads them.
bool NeedsMoreRights(const Module& module, const json::object& parameters);
os::Rights RightsFor(const Module& module, const json::object& parameters);

// Null when there is no such module.
const Module* FindModule(std::string_view name);
std::vector<const Module*> AllModules();  // sorted by name

// Adds a module that is not part of the product. Only test executables call it, before threads
// start; `module` must live for ever.
void RegisterTestModule(const Module& module);

// A file of this machine that a word `@FILE` names, to be attached under that name.
struct NamedFile {
  std::string name;
  std::string file;
};

// The parameters object that the words after `mig query NAME` mean: -flag value, --flag value,
// -flag=value. With Layout::kSearches the words describe the search "s1", and each `-label NAME`
// that follows begins another one, or names the first when it comes before everything else.
// A value `@FILE` of a list becomes a reference (proto/attachment_references.h), and the file joins
// `files`, once; where that is null it is refused. `@@` is a value's own first @.
// Error: kInvalid, naming the word and the near ones. The result passes CheckParameters.
Expected<json::object> ParametersFromArguments(const Module& module,
                                               std::span<const std::string> arguments,
                                               std::vector<NamedFile>* files = nullptr);

// Refuses what the module would not understand: unknown fields by name with the near ones
// (kUnsupported), wrong types, values out of range, contradictions (kInvalid). A null is the same
// as an absent field, as MIG's actions have them. A list may hold references to attachments; then
// the module's own `check` has to wait until they are expanded, and this is called again.
Expected<void> CheckParameters(const Module& module, const json::object& parameters);

// Usage, flags and an example, for `mig module NAME --help` and `mig help NAME`.
std::string ModuleHelp(const Module& module);

// The table of parameters as Markdown, which docs/modules/NAME.md contains word for word.
std::string ModuleParameterTable(const Module& module);

// Lines for a person: elements, then, unless found_only, errors and statistics. Not escaped: the
// caller passes every line through EscapeForTerminal.
std::vector<std::string> PrintResult(const Module& module, const ModuleResult& result,
                                     bool found_only);

// Runs the module in this process and thread: checks the parameters, calls run, applies the privacy
// mask when asked, and turns errors and exceptions into a result with success false.
ModuleResult RunModule(const Module& module, const json::object& parameters, RunContext& context,
                       bool privacy);

// Masks in place; nothing without the module's masks. Errors become "masked".
void MaskElement(const Module& module, json::value& element);
void MaskSummary(const Module& module, ModuleResult& summary);

}  // namespace mig
