// The filter of system calls of a sandboxed process, built from the table (sandbox_table_linux.h)
// and the few rules that depend on arguments. Part of os/sandbox.h; nobody else includes this.
#pragma once

#include "os/rights.h"
#include "util/expected.h"

namespace mig::os {

bool SeccompAvailable();

// Loads the filter for all threads of this process, for good. no_new_privs must be set.
// `self` is this process's id: the only one it may signal. Error: kIo.
Expected<void> LoadSeccompFilter(Rights rights, int self);

}  // namespace mig::os
