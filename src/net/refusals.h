// What a server refused, by reason: counted for metrics, and written to the log no faster than the
// log can bear. Whoever is refused a thousand times a second must not fill the disk with it, nor
// hide in it what is refused to others for another reason.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "util/clock.h"

namespace mig {

class Refusals {
 public:
  // Lines a second for each reason.
  static constexpr std::uint64_t kLinesASecond = 10;

  struct Line {
    bool write = false;            // this one is to be written
    std::uint64_t suppressed = 0;  // of its reason since the last one that was written
  };

  // `reason` is a literal: one of a few, never what a peer chose.
  Line Count(std::string_view reason, UtcTime now);

  // Since the start, by reason.
  std::map<std::string_view, std::uint64_t> Totals() const;

 private:
  struct Entry {
    std::uint64_t total = 0;
    std::uint64_t suppressed = 0;
    std::uint64_t lines = 0;  // in this second
    UtcTime second{};
  };
  std::map<std::string_view, Entry> entries_;
};

}  // namespace mig
