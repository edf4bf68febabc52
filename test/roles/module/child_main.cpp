// `mig module` as an executable of its own, with the probe: what module_verb_test starts.
#include <string>
#include <vector>

#include "modules/module.h"
#include "os/startup.h"
#include "roles/module/module_verb.h"
#include "test/e2e/probe_module.h"

int main(int argc, char** argv) {
  mig::PrepareProcess();
  mig::RegisterTestModule(mig::ProbeModule());
  return mig::RunModuleVerb(std::vector<std::string>(argv + 1, argv + argc));
}
