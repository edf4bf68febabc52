// How a process is asked on its own machine: a Unix socket that only its user may open, one line in
// each direction, one question a connection.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

inline constexpr std::size_t kMaxControlQuestion = 64 * 1024;
inline constexpr std::size_t kMaxControlAnswer = std::size_t{4} << 20;

class LocalControl {
 public:
  // Called on the io_context's thread with a question without its line's end; what it returns must
  // be one line as well.
  using Answer = std::function<std::string(std::string_view question)>;

  // Makes the socket, mode 0600, in place of one that a process which was killed left behind: the
  // caller knows that no other process can be using it. `io` must outlive this object, and `answer`
  // what it refers to. Errors: kNotFound or kIo, naming the file.
  static Expected<std::unique_ptr<LocalControl>> Start(boost::asio::io_context& io,
                                                       const std::filesystem::path& socket,
                                                       Answer answer);
  ~LocalControl();  // removes the socket
  LocalControl(const LocalControl&) = delete;
  LocalControl& operator=(const LocalControl&) = delete;

 private:
  struct Impl;
  explicit LocalControl(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// Asks and waits for the answer, without its line's end. Errors: kUnavailable: nobody is there;
// kDenied: there is somebody, but not for this user; kTimeout.
Expected<std::string> AskLocalControl(const std::filesystem::path& socket, std::string question,
                                      std::chrono::milliseconds limit);

}  // namespace mig
