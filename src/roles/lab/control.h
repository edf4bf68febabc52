// How `mig lab …` speaks to the lab's supervisor: a Unix socket in the lab's folder, one JSON
// object a line in each direction, one request a connection. Who may open the folder may ask.
//
//   {"do":"status"}                   -> {"running":true,"supervisor":PID,"api":URL,"agents":N,
//                                         "roles":[{"name","state","pid","since","restarts"}]}
//   {"do":"agents","count":3}         -> {"agents":3}
//   {"do":"stop","role":"relay"}      -> {"role":"relay","state":"stopped"}, once it has ended
//   {"do":"start","role":"relay"}     -> {"role":"relay","state":"running"}
//   {"do":"down"}                     -> {"stopped":true}, once all have ended; then it ends itself
//   anything else, or a failure       -> {"error":"…"}
#pragma once

#include <chrono>
#include <string>

#include "os/files.h"
#include "roles/lab/lab_files.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::lab {

inline constexpr std::size_t kMaxControlLine = 256 * 1024;
inline constexpr const char* kControlSocket = "control.sock";  // in LabFiles::RunFolder()

// The socket's path through an open descriptor of its folder, because a socket's own path must
// have less than 108 bytes (unix(7)), and labs stand in long folders.
class ControlPath {
 public:
  static Expected<ControlPath> Of(const LabFiles& files);
  const std::string& text() const { return text_; }

 private:
  ControlPath(os::FileDescriptor folder, std::string text)
      : folder_(std::move(folder)), text_(std::move(text)) {}
  os::FileDescriptor folder_;
  std::string text_;
};

// Asks the supervisor of that lab and waits for its answer. Errors: kUnavailable when none runs;
// kTimeout; kMalformed; kInvalid with the supervisor's words when it answered {"error"}.
Expected<json::object> AskSupervisor(const LabFiles& files, const json::object& request,
                                     std::chrono::milliseconds limit);

// Waits until no supervisor holds the lab any more: it answers before it has ended. False when one
// still does after `limit`.
bool WaitUntilFree(const LabFiles& files, std::chrono::milliseconds limit);

}  // namespace mig::lab
