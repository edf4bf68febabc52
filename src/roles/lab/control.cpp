#include "roles/lab/control.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "os/file_lock.h"

namespace mig::lab {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

struct Outcome {
  error_code error;
  std::string answer;
  bool done = false;
};

asio::awaitable<void> Converse(std::string path, std::string request, Outcome* outcome) {
  asio::local::stream_protocol::socket socket(co_await asio::this_coro::executor);
  auto [connected] =
      co_await socket.async_connect(asio::local::stream_protocol::endpoint(path), kAwait);
  outcome->error = connected;
  if (!connected) {
    auto [written, sent] = co_await asio::async_write(socket, asio::buffer(request), kAwait);
    outcome->error = written;
  }
  if (!outcome->error) {
    auto [read, size] = co_await asio::async_read_until(
        socket, asio::dynamic_buffer(outcome->answer, kMaxControlLine), '\n', kAwait);
    outcome->error = read;
  }
  outcome->done = true;
}

}  // namespace

Expected<ControlPath> ControlPath::Of(const LabFiles& files) {
  auto folder = os::OpenFolder(files.RunFolder());
  if (!folder) return std::move(folder).error();
  const std::string text = "/proc/self/fd/" + std::to_string(folder->get()) + "/control.sock";
  return ControlPath(std::move(*folder), text);
}

Expected<json::object> AskSupervisor(const LabFiles& files, const json::object& request,
                                     std::chrono::milliseconds limit) {
  auto path = ControlPath::Of(files);
  if (!path) {
    return Error(Errc::kUnavailable, "there is no lab in " + files.folder().string());
  }
  asio::io_context io(1);
  Outcome outcome;
  asio::co_spawn(io, Converse(path->text(), json::Write(request) + "\n", &outcome), asio::detached);
  io.run_for(limit);
  if (!outcome.done) {
    return Error(Errc::kTimeout, "the lab's supervisor did not answer within " +
                                     FormatDuration(limit) + "; see " +
                                     files.Log("supervisor").string());
  }
  if (outcome.error) {
    // Also when it went away before it answered.
    return Error(Errc::kUnavailable, "the lab in " + files.folder().string() + " is not running");
  }
  auto answer = json::ParseObject(outcome.answer);
  if (!answer) return std::move(answer).error().During("the supervisor's answer");
  if (const json::value* error = answer->if_contains("error")) {
    return Error(Errc::kInvalid,
                 error->is_string() ? std::string(error->get_string()) : json::Write(*error));
  }
  return answer;
}

bool WaitUntilFree(const LabFiles& files, std::chrono::milliseconds limit) {
  constexpr std::chrono::milliseconds kLookAgain{5};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto locked = os::IsLocked(files.Lock());
    if (!locked || !*locked) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
}

}  // namespace mig::lab
