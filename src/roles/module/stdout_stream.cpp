#include "roles/module/stdout_stream.h"

#include <unistd.h>

#include <cerrno>

namespace mig {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;  // what a pipe takes at once
constexpr std::chrono::milliseconds kQuiet{50};

}  // namespace

bool StdoutStream::Write(BytesView bytes) {
  if (closed_) return false;
  buffer_.append(bytes);
  const auto now = std::chrono::steady_clock::now();
  if (buffer_.size() < kBufferBytes && now - flushed_ < kQuiet) return true;
  return Flush();
}

bool StdoutStream::Flush() {
  BytesView rest = buffer_;
  while (!rest.empty() && !closed_) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      closed_ = true;  // EPIPE: whoever asked has gone
    }
  }
  buffer_.clear();
  flushed_ = std::chrono::steady_clock::now();
  return !closed_;
}

}  // namespace mig
