#include "net/poller.h"

#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace mig {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    near = os::FileDescriptor(ends[0]);
    far = os::FileDescriptor(ends[1]);
  }
  void Say() const { REQUIRE(send(far.get(), "x", 1, 0) == 1); }
  os::FileDescriptor near, far;
};

constexpr Poller::Interest kNothing{}, kRead{true, false}, kBoth{true, true};

TEST_CASE("poller: a socket is told of again until it was read", "[net]") {
  Poller poller;
  const auto handle = poller.Open();
  REQUIRE(handle);
  const Pair pair;
  poller.Set(pair.near.get(), 7, kNothing, kRead);
  CHECK(poller.Take().empty());
  pair.Say();
  for (int i = 0; i < 2; ++i) {
    const auto ready = poller.Take();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].id == 7);
    CHECK(ready[0].readable);
    CHECK_FALSE(ready[0].writable);
  }
  char byte = 0;
  REQUIRE(recv(pair.near.get(), &byte, 1, 0) == 1);
  CHECK(poller.Take().empty());
}

TEST_CASE("poller: writing is told of while it is asked for", "[net]") {
  Poller poller;
  const auto handle = poller.Open();
  REQUIRE(handle);
  const Pair pair;
  poller.Set(pair.near.get(), 7, kNothing, kBoth);
  const auto ready = poller.Take();
  REQUIRE(ready.size() == 1);
  CHECK(ready[0].writable);
  CHECK_FALSE(ready[0].readable);
  poller.Set(pair.near.get(), 7, kBoth, kRead);
  CHECK(poller.Take().empty());
}

TEST_CASE("poller: of a socket in which nobody is interested not even the end is told", "[net]") {
  Poller poller;
  const auto handle = poller.Open();
  REQUIRE(handle);
  Pair pair;
  poller.Set(pair.near.get(), 7, kNothing, kRead);
  poller.Set(pair.near.get(), 7, kRead, kNothing);
  pair.far.Reset();
  CHECK(poller.Take().empty());
  poller.Set(pair.near.get(), 7, kNothing, kRead);
  const auto ready = poller.Take();
  REQUIRE(ready.size() == 1);
  CHECK(ready[0].readable);
}

TEST_CASE("poller: more sockets than one look tells are told in the next", "[net]") {
  Poller poller;
  const auto handle = poller.Open();
  REQUIRE(handle);
  std::vector<Pair> pairs(300);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    poller.Set(pairs[i].near.get(), i, kNothing, kRead);
    pairs[i].Say();
  }
  std::vector<bool> told(pairs.size());
  for (int i = 0; i < 2; ++i) {
    for (const Poller::Ready& ready : poller.Take()) told[ready.id] = true;
  }
  CHECK(std::ranges::count(told, true) == 300);
}

}  // namespace
}  // namespace mig
