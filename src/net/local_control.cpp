#include "net/local_control.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "os/files.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kMaxConversations = 16;  // beyond: closed at once
constexpr std::chrono::seconds kConversationLimit{5};
constexpr std::chrono::milliseconds kAcceptPause{200};

// The socket's path through an open descriptor of its folder, because a socket's own path must have
// less than 108 bytes (unix(7)).
struct ShortPath {
  os::FileDescriptor folder;
  std::string text;
};

Expected<ShortPath> Shorten(const std::filesystem::path& socket) {
  const std::filesystem::path folder = socket.parent_path();
  auto opened = os::OpenFolder(folder.empty() ? "." : folder);
  if (!opened) return std::move(opened).error();
  std::string text =
      "/proc/self/fd/" + std::to_string(opened->get()) + "/" + socket.filename().string();
  return ShortPath{std::move(*opened), std::move(text)};
}

}  // namespace

struct LocalControl::Impl {
  Impl(asio::io_context& io, ShortPath short_path, Answer give)
      : acceptor(io), path(std::move(short_path)), answer(std::move(give)) {}

  // Both are given what keeps this alive: a coroutine begins later than it is made.
  asio::awaitable<void> Accept(std::shared_ptr<Impl> self) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(kAwait);
      if (stopped) co_return;
      if (error) {
        // Out of descriptors, most likely: neither spin nor give up.
        asio::steady_timer pause(acceptor.get_executor(), kAcceptPause);
        co_await pause.async_wait(kAwait);
        if (stopped) co_return;
        continue;
      }
      if (conversations >= kMaxConversations) continue;
      asio::co_spawn(acceptor.get_executor(), Converse(self, std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> Converse(std::shared_ptr<Impl> /*self*/, stream_protocol::socket accepted) {
    const auto socket = std::make_shared<stream_protocol::socket>(std::move(accepted));
    ++conversations;
    asio::steady_timer deadline(acceptor.get_executor(), kConversationLimit);
    deadline.async_wait([socket](error_code cancelled) {
      error_code ignored;  // whoever is too slow is cut off, whatever state it is in
      if (!cancelled) socket->close(ignored);
    });
    std::string question;
    auto [read_error, size] = co_await asio::async_read_until(
        *socket, asio::dynamic_buffer(question, kMaxControlQuestion), '\n', kAwait);
    if (!read_error && !stopped) {
      const std::string line = answer(std::string_view(question).substr(0, size - 1)) + "\n";
      auto [write_error, written] = co_await asio::async_write(*socket, asio::buffer(line), kAwait);
      if (write_error) {
        log::Debug("whoever asked did not wait for the answer", {{"error", write_error.message()}});
      }
    }
    deadline.cancel();
    --conversations;
  }

  stream_protocol::acceptor acceptor;
  const ShortPath path;
  const Answer answer;
  std::size_t conversations = 0;
  bool stopped = false;
};

Expected<std::unique_ptr<LocalControl>> LocalControl::Start(asio::io_context& io,
                                                            const std::filesystem::path& socket,
                                                            Answer answer) {
  auto path = Shorten(socket);
  if (!path) return std::move(path).error();
  if (::unlink(path->text.c_str()) != 0 && errno != ENOENT) {
    return os::ErrnoError(errno, socket.string());
  }
  auto impl = std::make_shared<Impl>(io, std::move(*path), std::move(answer));
  error_code error;
  impl->acceptor.open(stream_protocol(), error);
  // The file gets the socket's own mode, less the umask: nobody else can open it at any moment.
  if (!error && ::fchmod(impl->acceptor.native_handle(), 0600) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) impl->acceptor.bind(stream_protocol::endpoint(impl->path.text), error);
  if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error(Errc::kIo, socket.string() + ": " + error.message());
  asio::co_spawn(io, impl->Accept(impl), asio::detached);
  return std::unique_ptr<LocalControl>(new LocalControl(std::move(impl)));
}

LocalControl::LocalControl(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

LocalControl::~LocalControl() {
  impl_->stopped = true;
  error_code ignored;  // there is nothing left to lose
  impl_->acceptor.close(ignored);
  ::unlink(impl_->path.text.c_str());
}

namespace {

struct Outcome {
  error_code error;
  std::string answer;
  bool done = false;
};

asio::awaitable<void> Ask(std::string path, std::string question, Outcome* outcome) {
  stream_protocol::socket socket(co_await asio::this_coro::executor);
  auto [connected] = co_await socket.async_connect(stream_protocol::endpoint(path), kAwait);
  outcome->error = connected;
  if (!connected) {
    auto [written, sent] = co_await asio::async_write(socket, asio::buffer(question), kAwait);
    outcome->error = written;
  }
  if (!outcome->error) {
    auto [read, size] = co_await asio::async_read_until(
        socket, asio::dynamic_buffer(outcome->answer, kMaxControlAnswer), '\n', kAwait);
    outcome->error = read;
    if (!read) outcome->answer.resize(size - 1);
  }
  outcome->done = true;
}

}  // namespace

Expected<std::string> AskLocalControl(const std::filesystem::path& socket, std::string question,
                                      std::chrono::milliseconds limit) {
  auto path = Shorten(socket);
  if (!path) {
    const Errc code = path.error().code() == Errc::kDenied ? Errc::kDenied : Errc::kUnavailable;
    return Error(code, path.error().message());
  }
  asio::io_context io(1);
  Outcome outcome;
  asio::co_spawn(io, Ask(path->text, std::move(question) + "\n", &outcome), asio::detached);
  io.run_for(limit);
  if (!outcome.done) return Error(Errc::kTimeout, socket.string() + ": no answer in time");
  if (outcome.error == boost::system::errc::permission_denied) {
    return Error(Errc::kDenied, socket.string() + ": " + outcome.error.message());
  }
  if (outcome.error) {  // also when it went away before it answered
    return Error(Errc::kUnavailable, socket.string() + ": " + outcome.error.message());
  }
  return std::move(outcome.answer);
}

}  // namespace mig
