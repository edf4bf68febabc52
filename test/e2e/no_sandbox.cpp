// The control of sandbox_test.cpp: the test executable once more, in which a child does not enter
// the sandbox. The linker puts this in its place (--wrap in CMakeLists.txt), so that no switch for
// it exists in any source that is shipped.
#include "os/sandbox.h"

namespace mig::os {

Expected<SandboxReport> StayOutside(const SandboxRequest&) asm(
    "__wrap__ZN3mig2os12EnterSandboxERKNS0_14SandboxRequestE");

Expected<SandboxReport> StayOutside(const SandboxRequest&) {
  SandboxReport report;
  report.missing.emplace_back("left out by the linker");
  return report;
}

}  // namespace mig::os
