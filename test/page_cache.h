// What of a file lies in the machine's memory.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "os/files.h"

namespace mig {

// How much of the file lies in memory, in percent.
inline int InMemory(const std::string& path, std::size_t size) {
  const os::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  REQUIRE(map != MAP_FAILED);
  std::vector<unsigned char> pages((size + 4095) / 4096);
  REQUIRE(::mincore(map, size, pages.data()) == 0);
  ::munmap(map, size);
  const auto there =
      std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
  return static_cast<int>(there * 100 / static_cast<std::ptrdiff_t>(pages.size()));
}

inline void DropFromMemory(const std::string& path) {
  const os::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::fsync(fd.get()) == 0);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

}  // namespace mig
