#include "os/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "test/temp_folder.h"

using namespace mig;

TEST_CASE("file lock: one holder, and everybody can see that there is one", "[os]") {
  const TempFolder folder;
  const auto file = folder / "lock";
  CHECK_FALSE(*os::IsLocked(file));  // not even there
  {
    const auto lock = os::FileLock::Take(file);
    REQUIRE(lock);
    CHECK(*os::IsLocked(file));
    const auto second = os::FileLock::Take(file);
    REQUIRE_FALSE(second);
    CHECK(second.error().code() == Errc::kExists);
  }
  CHECK_FALSE(*os::IsLocked(file));
  CHECK(os::FileLock::Take(file));
}

TEST_CASE("file lock: a killed holder holds nothing", "[os]") {
  const TempFolder folder;
  const auto file = folder / "lock";
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = os::FileLock::Take(file);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK_FALSE(*os::IsLocked(file));
}
