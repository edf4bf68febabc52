// The process that keeps a lab running: holds the lab's lock and its two listening sockets, starts
// the roles, starts again what died, and stops all in order. Nobody waits for it: `mig lab up`
// starts it detached.
#pragma once

#include "roles/lab/lab_files.h"
#include "util/expected.h"

namespace mig::lab {

// Until SIGTERM, SIGINT or {"do":"down"}. Tells on stdout, once, how the start went: "ready\n",
// "busy\n" when another one holds the lab, or "error: …\n". Returns the exit status.
int Supervise(const LabFiles& files, unsigned agents);

}  // namespace mig::lab
