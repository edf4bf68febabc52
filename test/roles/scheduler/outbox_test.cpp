#include "roles/scheduler/outbox.h"

#include <catch2/catch.hpp>
#include <vector>

namespace mig::scheduler {
namespace {

struct Relay {
  std::vector<Outbox::Done> under_way;
  Outbox outbox{
      2, [this](const Outgoing&, Outbox::Done done) { under_way.push_back(std::move(done)); }};
  std::vector<Expected<void>> outcomes;

  void Post() {
    outbox.Post({"topic", std::make_shared<const Bytes>("x"), std::chrono::seconds(0), false,
                 [this](Expected<void> outcome) { outcomes.push_back(std::move(outcome)); }});
  }
};

TEST_CASE("outbox: no more than the window is under way", "[scheduler]") {
  Relay relay;
  relay.outbox.Connected();
  CHECK(relay.outbox.Room() == 2);
  for (int i = 0; i < 5; ++i) relay.Post();
  CHECK(relay.under_way.size() == 2);
  CHECK(relay.outbox.Room() == 0);
  relay.under_way[0]({});
  CHECK(relay.under_way.size() == 3);
  CHECK(relay.outcomes.size() == 1);
}

TEST_CASE("outbox: without a connection everything is refused at once", "[scheduler]") {
  Relay relay;
  CHECK(relay.outbox.Room() == 0);
  relay.Post();
  REQUIRE(relay.outcomes.size() == 1);
  CHECK(relay.outcomes[0].error().code() == Errc::kUnavailable);
}

TEST_CASE("outbox: a lost connection empties the queue, and what comes then starts anew",
          "[scheduler]") {
  Relay relay;
  relay.outbox.Connected();
  for (int i = 0; i < 5; ++i) relay.Post();
  relay.outbox.Lost();
  CHECK(relay.outcomes.size() == 3);  // those that waited; the link tells the other two
  for (int i = 0; i < 2; ++i)
    relay.under_way[static_cast<std::size_t>(i)](Error(Errc::kUnavailable, "lost"));
  CHECK(relay.outcomes.size() == 5);
  CHECK(relay.under_way.size() == 2);
  relay.outbox.Connected();
  CHECK(relay.outbox.Room() == 2);
}

TEST_CASE("outbox: a full queue refuses", "[scheduler]") {
  Relay relay;
  relay.outbox.Connected();
  for (std::size_t i = 0; i < Outbox::kMaxQueued + 2; ++i) relay.Post();
  CHECK(relay.outcomes.empty());
  relay.Post();
  REQUIRE(relay.outcomes.size() == 1);
  CHECK(relay.outcomes[0].error().code() == Errc::kFull);
}

}  // namespace
}  // namespace mig::scheduler
