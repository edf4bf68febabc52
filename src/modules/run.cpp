// Running a module in this process, and what happens to its answer afterwards: masked for privacy,
// printed for people.
#include <exception>
#include <new>

#include "modules/module.h"
#include "proto/attachment_references.h"

namespace mig {
namespace {

class MaskingSink : public ElementSink {
 public:
  MaskingSink(const Module& module, ElementSink& behind) : module_(module), behind_(behind) {}
  bool Emit(std::string_view label, json::value element) override {
    MaskElement(module_, element);
    return behind_.Emit(label, std::move(element));
  }

 private:
  const Module& module_;
  ElementSink& behind_;
};

ModuleResult RunGuarded(const Module& module, const json::object& parameters, RunContext& context) {
  if (!module.platforms.Has(os::CurrentPlatform())) {
    return FailedResult("the module " + std::string(module.name) + " is not supported on " +
                        std::string(os::PlatformName(os::CurrentPlatform())));
  }
  if (const auto left = ReferencedAttachments(parameters); !left.empty()) {
    return FailedResult("the attachment `" + *left.begin() + "` was not given to the module");
  }
  if (auto good = CheckParameters(module, parameters); !good) {
    return FailedResult(good.error().message());
  }
  if (!context.more_rights && NeedsMoreRights(module, parameters)) {
    return FailedResult("the module's process was started without the right to " +
                        Describe(module.more_rights) + ", which these parameters take");
  }
  // One of the three places where exceptions end (HOUSE-STYLE): a module may not take its process
  // down without an answer.
  try {
    auto result = module.run(parameters, context);
    if (!result) return FailedResult(result.error().message());
    return std::move(*result);
  } catch (const std::bad_alloc&) {
    return FailedResult("the module " + std::string(module.name) + " ran out of its memory limit");
  } catch (const std::exception& error) {
    return FailedResult("the module " + std::string(module.name) +
                        " failed: " + std::string(error.what()));
  }
}

}  // namespace

bool NeedsMoreRights(const Module& module, const json::object& parameters) {
  return module.needs_more != nullptr && module.needs_more(parameters);
}

os::Rights RightsFor(const Module& module, const json::object& parameters) {
  return NeedsMoreRights(module, parameters) ? module.rights | module.more_rights : module.rights;
}

ModuleResult RunModule(const Module& module, const json::object& parameters, RunContext& context,
                       bool privacy) {
  if (!privacy) return RunGuarded(module, parameters, context);
  MaskingSink masking(module, context.sink);
  RunContext masked{masking, context.now, context.threads, context.read_rate, context.more_rights};
  ModuleResult result = RunGuarded(module, parameters, masked);
  MaskSummary(module, result);
  return result;
}

void MaskElement(const Module& module, json::value& element) {
  if (module.mask_element != nullptr) module.mask_element(element);
}

void MaskSummary(const Module& module, ModuleResult& summary) {
  for (std::string& error : summary.errors) error = "masked";
  if (module.mask_summary != nullptr) module.mask_summary(summary);
}

std::vector<std::string> PrintResult(const Module& module, const ModuleResult& result,
                                     bool found_only) {
  std::vector<std::string> lines = module.print(result.elements, found_only);
  // A run that failed says why even to those who asked for finds only: else silence would look
  // like "nothing found".
  if (!found_only || !result.success) {
    lines.insert(lines.end(), result.errors.begin(), result.errors.end());
  }
  if (!found_only && module.print_statistics != nullptr && result.statistics.is_object()) {
    for (std::string& line : module.print_statistics(result.statistics)) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace mig
