#include "net/dial.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/proxy_connect.h"
#include "net/resolve.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// What one address of several may take of the time to connect.
constexpr std::chrono::seconds kLeastForAddress{2};

}  // namespace

asio::awaitable<Expected<void>> Dialer::ConnectTcp(beast::tcp_stream& stream, HostPort to,
                                                   steady_clock::time_point deadline) {
  resolving_ = std::make_shared<asio::steady_timer>(executor_);
  auto endpoints = co_await Resolve(to.host, to.port, deadline, resolving_);
  resolving_.reset();
  if (!endpoints) co_return std::move(endpoints).error();
  if (cancelled_) co_return Error(Errc::kUnavailable, "interrupted");
  error_code error;
  for (std::size_t i = 0; i < endpoints->size(); ++i) {
    const auto left = deadline - steady_clock::now();
    const auto share = left / static_cast<int>(endpoints->size() - i);
    stream.expires_after(std::min<steady_clock::duration>(
        left, std::max<steady_clock::duration>(share, kLeastForAddress)));
    std::tie(error) = co_await stream.async_connect((*endpoints)[i], kAwait);
    if (!error || cancelled_ || steady_clock::now() >= deadline) break;
    stream.socket().close();
  }
  if (error == beast::error::timeout) {
    co_return Error(Errc::kTimeout, "no answer in time (connect)");
  }
  if (error) co_return Error(Errc::kUnavailable, "connect: " + error.message());
  error_code not_vital;
  stream.socket().set_option(tcp::no_delay(true), not_vital);
  co_return Expected<void>();
}

asio::awaitable<Expected<void>> Dialer::Dial(beast::tcp_stream& stream, HostPort to,
                                             std::optional<ProxyAddress> proxy,
                                             steady_clock::time_point deadline) {
  cancelled_ = false;
  if (!proxy) co_return co_await ConnectTcp(stream, std::move(to), deadline);
  HostPort first{proxy->host, proxy->port};
  auto reached = co_await ConnectTcp(stream, std::move(first), deadline);
  if (!reached) {
    co_return std::move(reached).error().During("the proxy " + proxy->Text() +
                                                " is not to be reached");
  }
  co_return co_await ConnectThrough(stream, std::move(*proxy), std::move(to), deadline);
}

void Dialer::Cancel() {
  cancelled_ = true;
  if (resolving_) resolving_->cancel();
}

}  // namespace mig
