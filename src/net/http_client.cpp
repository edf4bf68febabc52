#include "net/http_client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <optional>

#include "net/http_channel.h"

namespace mig {

namespace asio = boost::asio;

namespace {

using Done = std::function<void(Expected<HttpReply>)>;

asio::awaitable<void> Deliver(asio::awaitable<Expected<HttpReply>> work, Done done) {
  done(co_await std::move(work));
}

// What got this far as an exception is a bug, or no memory: for the role's main.
void Rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(HttpClientOptions options)
      : interrupts(io, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        calls(io.get_executor(), options),
        stream(io.get_executor(), std::move(options)) {
    AwaitInterrupt();
  }

  void AwaitInterrupt() {
    interrupts.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this](boost::system::error_code error) {
                            if (error) return;
                            interrupted = true;
                            if (active != nullptr) active->Cancel();
                          });
  }

  Expected<HttpReply> Run(HttpChannel& channel, asio::awaitable<Expected<HttpReply>> work) {
    std::optional<Expected<HttpReply>> outcome;
    active = &channel;
    asio::co_spawn(
        io,
        Deliver(std::move(work), [&](Expected<HttpReply> reply) { outcome = std::move(reply); }),
        Rethrow);
    if (interrupted) channel.Cancel();
    io.restart();
    while (!outcome) io.run_one();
    active = nullptr;
    if (interrupted) {  // taken note of: the next call is not meant
      std::uint64_t count;
      (void)!read(interrupts.native_handle(), &count, sizeof count);
      interrupted = false;
      AwaitInterrupt();
    }
    return std::move(*outcome);
  }

  asio::io_context io{1};
  asio::posix::stream_descriptor interrupts;
  HttpChannel calls;
  HttpChannel stream;  // apart: a stream lasts
  HttpChannel* active = nullptr;
  bool interrupted = false;
};

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpClient::~HttpClient() = default;

Expected<HttpReply> HttpClient::Call(HttpCall call) {
  return impl_->Run(impl_->calls, impl_->calls.Call(std::move(call)));
}

Expected<HttpReply> HttpClient::Stream(HttpCall call, OnEvent on_event) {
  return impl_->Run(impl_->stream, impl_->stream.Stream(std::move(call), std::move(on_event)));
}

void HttpClient::Interrupt() {
  const int saved = errno;  // this may be a signal handler
  const std::uint64_t one = 1;
  (void)!write(impl_->interrupts.native_handle(), &one, sizeof one);  // fails only when it is full
  errno = saved;
}

struct AsyncHttpClient::Impl : std::enable_shared_from_this<AsyncHttpClient::Impl> {
  struct Waiting {
    HttpCall call;
    Done done;
  };

  Impl(asio::io_context& context, HttpClientOptions options)
      : io(context), channel(context.get_executor(), std::move(options)) {}

  void Next() {
    if (closed || busy || waiting.empty()) return;
    busy = true;
    Waiting next = std::move(waiting.front());
    waiting.pop_front();
    asio::co_spawn(io,
                   Deliver(channel.Call(std::move(next.call)),
                           [self = shared_from_this(),
                            done = std::move(next.done)](Expected<HttpReply> reply) {
                             self->busy = false;
                             if (self->closed) return;
                             done(std::move(reply));
                             self->Next();
                           }),
                   Rethrow);
  }

  asio::io_context& io;
  HttpChannel channel;
  std::deque<Waiting> waiting;
  bool busy = false;
  bool closed = false;
};

AsyncHttpClient::AsyncHttpClient(asio::io_context& io, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

AsyncHttpClient::~AsyncHttpClient() {
  impl_->closed = true;
  impl_->waiting.clear();
  impl_->channel.Cancel();
}

void AsyncHttpClient::Call(HttpCall call, Done done) {
  if (impl_->waiting.size() >= kMaxWaiting) {
    asio::post(impl_->io, [weak = std::weak_ptr(impl_), done = std::move(done)] {
      const auto impl = weak.lock();
      if (impl && !impl->closed) {
        done(Error(Errc::kFull, std::to_string(kMaxWaiting) + " calls are waiting already"));
      }
    });
    return;
  }
  impl_->waiting.push_back({std::move(call), std::move(done)});
  asio::post(impl_->io, [weak = std::weak_ptr(impl_)] {
    if (const auto impl = weak.lock()) impl->Next();
  });
}

}  // namespace mig
