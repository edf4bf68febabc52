#include "net/ticket_keys.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using namespace std::chrono_literals;
const TicketKeys::Time kStart{1000h};

TEST_CASE("ticket keys: a ticket is opened for one to two hours, and then no more", "[net]") {
  TicketKeys keys;
  const auto first = keys.Current(kStart);
  CHECK(keys.Current(kStart + 59min).name == first.name);
  const auto found = keys.Find(first.name.data(), kStart + 59min);
  REQUIRE(found);
  CHECK(found->is_current);
  CHECK(found->key.cipher == first.cipher);
  CHECK(found->key.mac == first.mac);
  const auto second = keys.Current(kStart + 60min);
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  const auto older = keys.Find(first.name.data(), kStart + 119min);
  REQUIRE(older);
  CHECK_FALSE(older->is_current);  // so that the ticket is replaced
  CHECK_FALSE(keys.Find(first.name.data(), kStart + 120min));
}

TEST_CASE("ticket keys: a quiet time keeps no key alive", "[net]") {
  TicketKeys keys;
  const auto first = keys.Current(kStart);
  CHECK_FALSE(keys.Find(first.name.data(), kStart + 5h));
}

TEST_CASE("ticket keys: two servers have none in common", "[net]") {
  TicketKeys a;
  TicketKeys b;
  const auto key = a.Current(kStart);
  b.Current(kStart);
  CHECK_FALSE(b.Find(key.name.data(), kStart));
}

}  // namespace
}  // namespace mig
