// mig lab down: stops everything in order; --purge removes what the lab has made.
#include "cli/verb.h"
#include "os/file_lock.h"
#include "roles/lab/control.h"
#include "roles/lab/verbs.h"

namespace mig::lab {
namespace {

namespace fs = std::filesystem;
using cli::ExitStatus;

// Each of the processes is given some seconds before it is killed; agents stop all at once.
constexpr std::chrono::milliseconds kDownLimit{60'000};

// Only what the lab itself makes: whatever else stands in the folder is somebody's.
Expected<void> Purge(const LabFiles& files) {
  std::error_code error;
  // The record last: until then it is still a lab, and can be purged again.
  for (const std::string& part : LabFiles::Parts()) {
    fs::remove_all(files.folder() / part, error);
    if (error) {
      return Error(Errc::kIo,
                   "remove " + (files.folder() / part).string() + ": " + error.message());
    }
  }
  fs::remove(files.Record(), error);
  if (error) return Error(Errc::kIo, "remove " + files.Record().string() + ": " + error.message());
  fs::remove(files.folder(), error);  // stays when something of another's is in it
  return {};
}

}  // namespace

ExitStatus RunDown(Words words, cli::Terminal& terminal) {
  std::string dir;
  bool purge = false;
  cli::Options options("mig lab down [--dir DIR] [--purge]",
                       "Stops the lab in order. Its data stays, and `mig lab up` starts it again.");
  AddDir(options, &dir);
  options.Flag("purge", '\0', "remove keys, data and logs, too: there is no way back", &purge);
  options.Example("mig lab down", "stops it");
  options.Example("mig lab down --purge", "and forgets it");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());
  auto down = AskSupervisor(*files, {{"do", "down"}}, kDownLimit);
  if (!down && down.error().code() != Errc::kUnavailable) {
    return cli::Fail(terminal, down.error());
  }
  // It may also have been on its way down already, and answered nothing.
  if (!WaitUntilFree(*files, kDownLimit)) {
    return cli::Fail(terminal, Error(Errc::kTimeout, "the lab does not stop; see " +
                                                         files->Log("supervisor").string()));
  }
  if (down) {
    terminal.Remark("The lab is down; its data is in " + files->folder().string() + ".");
  } else {
    terminal.Remark(down.error().message() + ".");
  }
  if (!purge) return cli::Finish(terminal, cli::kFound);

  std::error_code error;
  if (!fs::exists(files->Record(), error) && !fs::exists(files->Key("root"), error)) {
    terminal.Remark("There is nothing to remove.");
    return cli::Finish(terminal, cli::kFound);
  }
  auto lock = os::FileLock::Take(files->Lock());  // against an `up` at this moment
  if (!lock) return cli::Fail(terminal, lock.error());
  if (auto purged = Purge(*files); !purged) return cli::Fail(terminal, purged.error());
  terminal.Remark("Removed it with its keys, data and logs.");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::lab
