// Files without a name that processes still hold open: unlinked, or made without one
// (memfd_create(2)). Reading other users' takes the right to read other processes.
#pragma once

#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::os {

struct HeldFile {
  int pid = 0;
  std::string executable;       // of the process; empty: none (a kernel thread), or not to be read
  int folder = -1;              // an open descriptor of /proc/PID/fd
  std::string folder_path;      // its path
  const char* descriptor = "";  // the name in there: a link that leads to the file
  std::string path;             // where it lay; "/memfd:NAME" for one that never lay anywhere
};

class HeldFileVisitor {
 public:
  virtual ~HeldFileVisitor() = default;
  // False ends the search. `file` is valid during the call.
  virtual bool Visit(const HeldFile& file) = 0;
  // What a process holds open cannot be seen.
  virtual void Failed(const std::string& path, int error_number) = 0;
};

// Each file once for each process that holds it. A process that ends meanwhile holds nothing.
// Error: /proc cannot be read.
Expected<void> VisitHeldFiles(HeldFileVisitor& visitor);

}  // namespace mig::os
