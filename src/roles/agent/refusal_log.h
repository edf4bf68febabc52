// Which refusals are written into the ledger: all that people could have caused, and of what a
// compromised courier could send without end (the same refused bytes again, or forged ones) only so
// many that the ledger stays readable and small. What was left out is counted into the next entry.
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "util/bytes.h"
#include "util/clock.h"

namespace mig::agent {

class RefusalLog {
 public:
  static constexpr std::size_t kRemembered = 256;
  static constexpr std::uint32_t kBurst = 64;
  static constexpr std::chrono::minutes kRefill{1};  // one more entry each

  // The number of refusals suppressed since the last entry, when this one is to be written; nothing
  // when it is not. `digest` is of the payload, or of the bytes that came.
  std::optional<std::uint64_t> Note(BytesView digest, std::string_view code, UtcTime now);

 private:
  bool IsRepeated(BytesView digest, std::string_view code);
  bool TakeToken(UtcTime now);

  std::set<std::string> known_;
  std::deque<std::string> order_;
  std::uint32_t tokens_ = kBurst;
  UtcTime refilled_;
  std::uint64_t suppressed_ = 0;
};

}  // namespace mig::agent
