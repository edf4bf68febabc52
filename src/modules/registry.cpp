#include <algorithm>

#include "modules/module.h"

namespace mig {

#define MIG_MODULE(constant) extern const Module constant;
#include "modules/modules.inc"
#undef MIG_MODULE

namespace {

std::vector<const Module*>& Registered() {
  static std::vector<const Module*> modules = {
#define MIG_MODULE(constant) &constant,
#include "modules/modules.inc"
#undef MIG_MODULE
  };
  return modules;
}

}  // namespace

const Module* FindModule(std::string_view name) {
  for (const Module* module : Registered()) {
    if (module->name == name) return module;
  }
  return nullptr;
}

std::vector<const Module*> AllModules() {
  std::vector<const Module*> modules = Registered();
  std::sort(modules.begin(), modules.end(),
            [](const Module* a, const Module* b) { return a->name < b->name; });
  return modules;
}

void RegisterTestModule(const Module& module) {
  if (FindModule(module.name) == nullptr) Registered().push_back(&module);
}

}  // namespace mig
