// Disk space taken ahead, to be given back to whoever must write when the disk has become full: an
// agent's ledger has to record how a run ended even if somebody else filled the disk meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>

#include "util/expected.h"

namespace mig::os {

// A file of real blocks (posix_fallocate(3), no hole) beside what it protects: on the same file
// system, or it protects nothing. One thread at a time.
class SpaceReserve {
 public:
  SpaceReserve(std::filesystem::path file, std::uint64_t bytes)
      : file_(std::move(file)), bytes_(bytes) {}

  // Makes sure that the space is taken; cheap when it is. Error: kFull when the disk does not have
  // it; the part that could be taken is given back then.
  Expected<void> Take();

  // Gives the space back: what is written next has it, until Take() succeeds again.
  Expected<void> Release();

  bool held() const { return held_; }

 private:
  std::filesystem::path file_;
  std::uint64_t bytes_;
  bool held_ = false;
};

}  // namespace mig::os
