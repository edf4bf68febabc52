#include "roles/lab/control.h"

#include <thread>

#include "net/local_control.h"
#include "os/file_lock.h"

namespace mig::lab {

Expected<ControlPath> ControlPath::Of(const LabFiles& files) {
  auto folder = os::OpenFolder(files.RunFolder());
  if (!folder) return std::move(folder).error();
  const std::string text = "/proc/self/fd/" + std::to_string(folder->get()) + "/" + kControlSocket;
  return ControlPath(std::move(*folder), text);
}

Expected<json::object> AskSupervisor(const LabFiles& files, const json::object& request,
                                     std::chrono::milliseconds limit) {
  auto line = AskLocalControl(files.RunFolder() / kControlSocket, json::Write(request), limit);
  if (!line && line.error().code() == Errc::kTimeout) {
    return Error(Errc::kTimeout, "the lab's supervisor did not answer within " +
                                     FormatDuration(limit) + "; see " +
                                     files.Log("supervisor").string());
  }
  if (!line && line.error().code() == Errc::kDenied) return std::move(line).error();
  if (!line) {  // also when it went away before it answered
    const bool is_there = std::filesystem::exists(files.RunFolder());
    return Error(Errc::kUnavailable,
                 is_there ? "the lab in " + files.folder().string() + " is not running"
                          : "there is no lab in " + files.folder().string());
  }
  auto answer = json::ParseObject(*line);
  if (!answer) return std::move(answer).error().During("the supervisor's answer");
  if (const json::value* error = answer->if_contains("error")) {
    return Error(Errc::kInvalid,
                 error->is_string() ? std::string(error->get_string()) : json::Write(*error));
  }
  return answer;
}

bool WaitUntilFree(const LabFiles& files, std::chrono::milliseconds limit) {
  constexpr std::chrono::milliseconds kLookAgain{5};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto locked = os::IsLocked(files.Lock());
    if (!locked || !*locked) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
}

}  // namespace mig::lab
