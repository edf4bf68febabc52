// Bytes to be found anywhere in a file, written in hexadecimal with wildcards, as malware
// signatures are: "de ad ?? e? [2-8] ef". A subset of YARA's hex strings (jumps are bounded, and
// there are no alternatives).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "modules/file/pattern.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

class ByteSequence {
 public:
  // The longest stretch that one may cover, its jumps at their longest; of a jump alone.
  static constexpr std::size_t kMostBytes = 4096;
  static constexpr std::size_t kMostJump = 256;

  // Pairs of hexadecimal digits, `?` for any digit, `[N]` or `[N-M]` for so many bytes of any
  // value; spaces between bytes are nothing. Error: kInvalid, saying which part and what is
  // missing.
  static Expected<std::shared_ptr<const ByteSequence>> Parse(std::string_view text);
  ~ByteSequence();

  // Whether it stands in `bytes`, as a whole.
  bool IsIn(BytesView bytes) const;
  // It covers at most so many.
  std::size_t longest() const { return longest_; }
  // Bytes that stand in it as they are: the longest run of such, maybe empty. For tests.
  const std::string& required() const { return required_.text(); }

 private:
  struct Compiled;
  ByteSequence();

  std::unique_ptr<Compiled> compiled_;  // null when it is nothing but the required bytes
  Literal required_;
  std::size_t longest_ = 0;
};

}  // namespace mig::file
