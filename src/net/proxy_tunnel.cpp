#include "net/proxy_tunnel.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <sys/random.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "net/dial.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kChunkBytes = 16 * 1024;
constexpr std::size_t kMaxHeadBytes = 8 * 1024;
// Strangers of this machine that may hold a place at the door at a time.
constexpr int kMaxAtDoor = 16;
constexpr std::chrono::seconds kDoorPatience{2};
constexpr milliseconds kDrainPatience{500};

std::string NewSecret() {
  std::array<char, 20> bytes{};
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t more = ::getrandom(bytes.data() + got, bytes.size() - got, 0);
    if (more > 0) got += static_cast<std::size_t>(more);
  }
  return EncodeBase32(BytesView(bytes.data(), bytes.size()));
}

// What got this far as an exception is a bug, or no memory.
void Rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

// Everything on the tunnel's thread, but for what says otherwise, atomics and futures. Coroutines
// do not keep it alive: the tunnel ends the thread before it goes.
struct ProxyTunnel::Impl : std::enable_shared_from_this<ProxyTunnel::Impl> {
  Impl(asio::io_context& owners, HostPort target, ProxyAddress via, milliseconds patience_given,
       Done tell)
      : owner(owners),
        to(std::move(target)),
        proxy(std::move(via)),
        patience(patience_given),
        done(std::move(tell)),
        dialer(io.get_executor()),
        far(io),
        acceptor(io) {}

  void Start();
  asio::awaitable<void> Run();
  asio::awaitable<void> AtDoor(beast::tcp_stream stranger);
  asio::awaitable<void> Carry(beast::tcp_stream& from, beast::tcp_stream& into);
  Expected<std::string> OpenDoor();
  bool HasKey(const Bytes& head) const;
  void Tell(Expected<std::string> outcome);

  asio::io_context& owner;
  const HostPort to;
  const ProxyAddress proxy;
  const milliseconds patience;
  Done done;  // only on the owner's thread
  std::atomic<bool> gone{false};
  std::atomic<bool> carrying{false};
  std::promise<void> said_all;  // once the client has closed and what it said has left
  std::future<void> has_said_all = said_all.get_future();
  std::thread thread;

  asio::io_context io{1};
  Dialer dialer;
  beast::tcp_stream far;  // to the proxy, and through it
  tcp::acceptor acceptor;
  std::optional<beast::tcp_stream> near;  // to the client
  std::string key;                        // what the client must show
  int at_door = 0;
  bool told_of_strangers = false;
};

void ProxyTunnel::Impl::Tell(Expected<std::string> outcome) {
  asio::post(owner, [weak = weak_from_this(), outcome = std::move(outcome)]() mutable {
    const auto self = weak.lock();
    if (self && !self->gone) self->done(std::move(outcome));
  });
}

Expected<std::string> ProxyTunnel::Impl::OpenDoor() {
  error_code error;
  const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
  acceptor.open(any.protocol(), error);
  if (!error) acceptor.bind(any, error);
  if (!error) acceptor.listen(kMaxAtDoor, error);
  if (error) return Error(Errc::kInternal, "a socket for the way to the proxy: " + error.message());
  key = "mig:" + NewSecret();
  return "http://" + key + "@" + FormatHostPort("127.0.0.1", acceptor.local_endpoint(error).port());
}

bool ProxyTunnel::Impl::HasKey(const Bytes& head) const {
  static constexpr std::string_view kField =
      "\r\nProxy-authorization: Basic ";  // as Paho writes it
  const std::size_t field = head.find(kField);
  if (!head.starts_with("CONNECT ") || field == Bytes::npos) return false;
  const std::size_t begin = field + kField.size();
  const auto shown = DecodeBase64(BytesView(head).substr(begin, head.find("\r\n", begin) - begin));
  // With TLS Paho takes the URL's scheme for a part of the user's name.
  return shown && shown->size() >= key.size() &&
         CRYPTO_memcmp(shown->data() + shown->size() - key.size(), key.data(), key.size()) == 0;
}

asio::awaitable<void> ProxyTunnel::Impl::AtDoor(beast::tcp_stream stranger) {
  ++at_door;
  Bytes head;
  std::array<char, 1024> chunk;
  stranger.expires_after(kDoorPatience);
  while (head.find("\r\n\r\n") == Bytes::npos && head.size() < kMaxHeadBytes) {
    const auto [error, size] = co_await stranger.async_read_some(asio::buffer(chunk), kAwait);
    if (error) break;
    head.append(chunk.data(), size);
  }
  --at_door;
  if (!acceptor.is_open()) co_return;  // somebody with the key was faster
  if (!head.ends_with("\r\n\r\n") || !HasKey(head)) {
    if (!std::exchange(told_of_strangers, true)) {
      log::Warning("somebody on this machine wanted to use the way through the proxy",
                   {{"proxy", proxy.Text()}});
    }
    co_return;
  }
  static constexpr std::string_view kWelcome = "HTTP/1.1 200 Connection established\r\n\r\n";
  if (const auto [error, size] =
          co_await asio::async_write(stranger, asio::buffer(kWelcome), kAwait);
      error) {
    co_return;
  }
  error_code not_vital;
  acceptor.close(not_vital);
  near.emplace(std::move(stranger));
  near->expires_never();
  near->socket().set_option(tcp::no_delay(true), not_vital);
  asio::co_spawn(io, Carry(far, *near), Rethrow);
  carrying = true;
  co_await Carry(*near, far);
  said_all.set_value();
}

// Until the end of what comes, which is then the end for the other side too.
asio::awaitable<void> ProxyTunnel::Impl::Carry(beast::tcp_stream& from, beast::tcp_stream& into) {
  std::array<char, kChunkBytes> chunk;
  error_code failed;
  while (!failed) {
    const auto [ended_or_not, size] = co_await from.async_read_some(asio::buffer(chunk), kAwait);
    failed = ended_or_not;
    if (failed) break;
    std::tie(failed, std::ignore) =
        co_await asio::async_write(into, asio::buffer(chunk.data(), size), kAwait);
  }
  error_code not_vital;
  into.socket().shutdown(tcp::socket::shutdown_send, not_vital);
  if (failed != asio::error::eof) {  // what it was to say is lost: both sides must know
    from.close();
    into.close();
  }
}

asio::awaitable<void> ProxyTunnel::Impl::Run() {
  const auto deadline = steady_clock::now() + patience;
  HostPort target = to;
  std::optional<ProxyAddress> via = proxy;
  auto there = co_await dialer.Dial(far, std::move(target), std::move(via), deadline);
  if (!there) {
    Tell(std::move(there).error());
    co_return;
  }
  far.expires_never();
  auto door = OpenDoor();
  const bool open = door.has_value();
  Tell(std::move(door));
  if (!open) co_return;
  asio::steady_timer too_late(io, patience);
  too_late.async_wait([this](error_code error) {
    error_code not_vital;
    if (!error) acceptor.close(not_vital);
  });
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (error) break;
    if (at_door >= kMaxAtDoor) continue;  // `socket` is closed
    asio::co_spawn(io, AtDoor(beast::tcp_stream(std::move(socket))), Rethrow);
  }
}

void ProxyTunnel::Impl::Start() {
  asio::co_spawn(io, Run(), Rethrow);
  // Signals stay with the role's thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread = std::thread([this] { io.run(); });
  } catch (const std::system_error& error) {
    Tell(Error(Errc::kInternal, std::string("a thread for the way to the proxy: ") + error.what()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ProxyTunnel::ProxyTunnel(asio::io_context& io, HostPort to, ProxyAddress proxy,
                         milliseconds patience, Done done)
    : impl_(
          std::make_shared<Impl>(io, std::move(to), std::move(proxy), patience, std::move(done))) {
  impl_->Start();
}

ProxyTunnel::~ProxyTunnel() {
  impl_->gone = true;
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void ProxyTunnel::Drain() {
  if (impl_->carrying) impl_->has_said_all.wait_for(kDrainPatience);
}

}  // namespace mig
