// Standard output of a module's process, as a byte stream: buffered, because an answer may have
// millions of elements, but never holding back what came after a quiet while.
#pragma once

#include <chrono>

#include "util/bytes.h"

namespace mig {

class StdoutStream {
 public:
  // False once nobody reads any more.
  bool Write(BytesView bytes);
  bool Flush();

 private:
  Bytes buffer_;
  bool closed_ = false;
  std::chrono::steady_clock::time_point flushed_{};
};

}  // namespace mig
