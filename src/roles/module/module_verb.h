// `mig module NAME`: one run of one module, in this process, which first puts itself into the
// sandbox that the module's rights leave. The agent and `mig query -t local` start it as a child;
// people may type it too.
//
//   mig module list
//   mig module NAME --help
//   mig module NAME [own flags] < parameters.json
//   mig module NAME [own flags] -flag value …     the module's own flags, as for mig query
//
// Own flags come first:
//   --frames               stdout is frames (modules/frames.h) instead of one JSON object
//   --privacy              masks what the module's declaration says
//   --limits JSON          proto/limits.h; seconds end the process, cpu and rate by pausing, rss is
//                          what it may allocate, rows and bytes end the answer
//   --threads N            in how many the module may work; else half of the cores, and no more
//   than
//                          cpu of the limits keeps busy
//   --nice N               0 to 19; else 19, the lowest priority, with idle I/O
//   --root PATH            only what lies beneath can be opened (repeatable; Landlock)
//   --require-sandbox LEVEL  full or partial: refuses to run with less
//
// Exit status: 2 for a wrong command line, always. With --frames 0 once the summary is written,
// whatever it says. Without: 0 found, 1 nothing found, 3 the run failed (success is false).
// A refusal to run (unknown module, wrong parameters, sandbox) is a result with success false.
#pragma once

#include <span>
#include <string>

namespace mig {

int RunModuleVerb(std::span<const std::string> arguments);

}  // namespace mig
