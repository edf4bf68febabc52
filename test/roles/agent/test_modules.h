// Modules that exist only in these tests: one that looks, one that acts, one that reads files.
#pragma once

#include <array>

#include "modules/module.h"

namespace mig {

inline Expected<ModuleResult> RunNothing(const json::object&, RunContext&) {
  ModuleResult result;
  result.success = true;
  return result;
}

inline std::vector<std::string> PrintNothing(const json::value&, bool) { return {}; }

inline constexpr std::array<Parameter, 2> kLookParameters = {
    Parameter{.flag = "word", .field = "word", .type = ParameterType::kText, .help = "a word"},
    Parameter{.flag = "size", .field = "size", .type = ParameterType::kInteger, .help = "a size"},
};
inline constexpr std::array<Parameter, 2> kReadParameters = {
    Parameter{.flag = "path",
              .field = "paths",
              .type = ParameterType::kNames,
              .help = "where",
              .absent = "/"},
    Parameter{.flag = "name", .field = "names", .type = ParameterType::kTexts, .help = "what"},
};

inline const Module kLook = {.name = "look",
                             .kind = Kind::kInvestigate,
                             .version = 3,
                             .summary = "looks",
                             .parameters = kLookParameters,
                             .platforms = os::Platform::kLinux,
                             .run = RunNothing,
                             .print = PrintNothing};
inline const Module kAct = {.name = "act",
                            .kind = Kind::kRespond,
                            .summary = "acts",
                            .platforms = os::Platform::kLinux,
                            .run = RunNothing,
                            .print = PrintNothing};
inline const Module kRead = {.name = "read",
                             .kind = Kind::kInvestigate,
                             .summary = "reads files",
                             .parameters = kReadParameters,
                             .layout = Layout::kSearches,
                             .platforms = os::Platform::kLinux,
                             .rights = os::Right::kReadFiles,
                             .run = RunNothing,
                             .print = PrintNothing};

inline void RegisterTestModules() {
  RegisterTestModule(kLook);
  RegisterTestModule(kAct);
  RegisterTestModule(kRead);
}

}  // namespace mig
