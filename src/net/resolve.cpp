#include "net/resolve.h"

#include <netdb.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <thread>

#include "net/host.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Between the coroutine and the thread, which may come back when the coroutine, and the io_context
// with it, are long gone.
struct Lookup {
  std::mutex mutex;
  // Under `mutex`.
  std::shared_ptr<asio::steady_timer> wait;  // empty once nobody waits any more
  bool done = false;
  int status = 0;
  std::vector<asio::ip::address> addresses;
};

// However the coroutine ends, the thread must not touch its timer any more.
struct Abandon {
  std::shared_ptr<Lookup> lookup;
  ~Abandon() {
    const std::lock_guard lock(lookup->mutex);
    lookup->wait.reset();
  }
};

void LookUp(const std::string& host, const std::shared_ptr<Lookup>& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::lock_guard lock(lookup->mutex);
  lookup->status = status;
  for (const addrinfo* each = found; status == 0 && each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(each->ai_addr);
      lookup->addresses.push_back(asio::ip::address_v4(ntohl(in->sin_addr.s_addr)));
    } else if (each->ai_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(each->ai_addr);
      asio::ip::address_v6::bytes_type bytes;
      std::copy(std::begin(in->sin6_addr.s6_addr), std::end(in->sin6_addr.s6_addr), bytes.begin());
      lookup->addresses.push_back(asio::ip::address_v6(bytes, in->sin6_scope_id));
    }
  }
  if (found != nullptr) freeaddrinfo(found);
  lookup->done = true;
  // While the coroutine waits its executor lives; the timer is for that thread only.
  if (lookup->wait) {
    asio::post(lookup->wait->get_executor(), [wait = lookup->wait] { wait->cancel(); });
  }
}

std::vector<tcp::endpoint> WithPort(const std::vector<asio::ip::address>& addresses,
                                    std::uint16_t port) {
  std::vector<tcp::endpoint> endpoints;
  for (const auto& address : addresses) endpoints.emplace_back(address, port);
  return endpoints;
}

}  // namespace

asio::awaitable<Expected<std::vector<tcp::endpoint>>> Resolve(
    std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline,
    std::shared_ptr<asio::steady_timer> wait) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) co_return WithPort({address}, port);
  if (IsLocalhost(host)) {
    co_return WithPort({asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()}, port);
  }
  const auto lookup = std::make_shared<Lookup>();
  const Abandon abandon{lookup};
  wait->expires_at(deadline);
  lookup->wait = wait;
  std::thread([host, lookup] { LookUp(host, lookup); }).detach();
  co_await wait->async_wait(kAwait);
  const std::lock_guard lock(lookup->mutex);
  if (!lookup->done) {
    co_return Error(Errc::kTimeout, "the name `" + host + "` was not resolved in time");
  }
  if (lookup->addresses.empty()) {
    co_return Error(Errc::kUnavailable,
                    "the name `" + host + "` is not known: " + gai_strerror(lookup->status));
  }
  co_return WithPort(lookup->addresses, port);
}

}  // namespace mig
