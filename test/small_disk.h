// A file system of a few megabytes for tests of what happens when a disk is full: a tmpfs in a
// mount namespace of its own, seen by a forked child only.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <string>

#include "test/temp_folder.h"

namespace mig {

class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes) : bytes_(bytes) {
    available_ = Run([](const std::filesystem::path&) { return "yes"; }) == "yes";
  }

  bool available() const { return available_; }

  // Runs `scene` in the child with the folder where the disk is mounted, and gives what it returns
  // (at most 4 KiB). The child runs no destructors and no other test.
  std::string Run(const std::function<std::string(const std::filesystem::path&)>& scene) const {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      // As root a mount namespace is enough; else a user namespace makes us root in it.
      const bool apart = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
      const std::string size = "size=" + std::to_string(bytes_);
      std::string said = "no mount";
      if (apart && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
          ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, size.c_str()) == 0) {
        said = scene(folder_.path());
      }
      said.resize(std::min<std::size_t>(said.size(), 4096));
      if (::write(ends[1], said.data(), said.size()) < 0) ::_exit(1);
      ::_exit(0);
    }
    ::close(ends[1]);
    std::string said(4096, '\0');
    ssize_t got = 0;
    std::size_t length = 0;
    while ((got = ::read(ends[0], said.data() + length, said.size() - length)) > 0) {
      length += static_cast<std::size_t>(got);
    }
    said.resize(length);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0 ? said : "the child died: " + said;
  }

 private:
  TempFolder folder_;
  std::uint64_t bytes_;
  bool available_ = false;
};

// Writes `file` until nothing more fits.
inline void FillDisk(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string chunk(4096, 'f');
  while (::write(fd, chunk.data(), chunk.size()) > 0) {
  }
  ::close(fd);
}

}  // namespace mig
