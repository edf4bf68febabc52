// A run of bytes to look for in many others, sixteen places at a time.
#pragma once

#include <cstddef>
#include <string>

#include "util/bytes.h"

namespace mig::file {

class Literal {
 public:
  Literal() = default;
  // With `fold`, ASCII letters match in either case; `text` has them in lower case.
  explicit Literal(std::string text, bool fold = false);

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

  // Where it begins in `bytes` at or after `from`, or npos. Requires: not empty.
  std::size_t FindIn(BytesView bytes, std::size_t from = 0) const;
  // Whether it stands there, which may be too near to the end.
  bool IsAt(BytesView bytes, std::size_t at) const;

 private:
  bool Equals(const char* at) const;

  std::string text_;
  bool fold_ = false;
  // Two of its bytes that files have least: only where both are is the rest compared.
  std::size_t first_ = 0;
  std::size_t second_ = 0;
};

}  // namespace mig::file
