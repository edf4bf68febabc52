#include "store/relay_admin.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/store/relay_fixture.h"
#include "test/store/relay_traffic.h"
#include "test/temp_folder.h"

namespace mig::store {
namespace {

using namespace mqtt;

// One of everything.
void FillStore(const std::filesystem::path& file) {
  Relay relay(file);
  SessionRecord away = MakeSession(1);
  away.away_since = UtcTime(5s);
  relay.Keep({PutSession{away}, PutSession{MakeSession(2)}, PutGroup{{3, "$share/g/x"}},
              PutSubscription{{1, "a/#", {}, 0}}, PutSubscription{{2, "$share/g/x", {}, 0}},
              Enqueue{MakeMessage(1, Bytes(100, 'a')), {{1, 1}, {2, 1}, {3, 1}}},
              Enqueue{MakeMessage(2, Bytes(5000, 'b')), {{2, 2, Qos::kExactlyOnce}}},
              Enqueue{MakeMessage(3, "c"), {{1, 2}, {1, 3}}}, PutSending{2, 9, 2},
              PutReceived{1, 4}, PutRetained{{MakeMessage(4, "kept"), "", ""}}});
  relay.WaitCommitted();
}

TEST_CASE("relay admin: what the relay writes is sound", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    RelayTraffic traffic(3);
    Relay relay(file);
    for (int i = 0; i < 300; ++i) {
      const RelayStep step = traffic.Next();
      if (const auto* batch = std::get_if<KeepBatch>(&step)) {
        relay.Keep(batch->operations);
      } else {
        relay.db->DropExpired(std::get<UtcTime>(step));
      }
    }
    relay.WaitCommitted();
  }
  auto admin = RelayAdmin::Open(file);
  REQUIRE(admin);
  auto findings = admin->Check();
  REQUIRE(findings);
  for (const RelayFinding& finding : *findings) UNSCOPED_INFO(finding.what);
  CHECK(findings->empty());
}

TEST_CASE("relay admin: every rule finds what breaks it", "[store]") {
  struct Case {
    const char* sql;
    const char* what;
    std::uint64_t count;
  };
  const auto broken = GENERATE(
      Case{"DELETE FROM messages WHERE id = 1", "queued rows without their message", 3},
      Case{"UPDATE messages SET refs = 2 WHERE id = 1", "messages whose count of rows is wrong", 1},
      Case{"DELETE FROM queue WHERE message = 3", "messages whose count of rows is wrong", 1},
      Case{"UPDATE queue SET queue = 77 WHERE queue = 3",
           "queued rows whose session or group is gone", 1},
      Case{"UPDATE subscriptions SET session = 77 WHERE filter = 'a/#'",
           "subscriptions without a session", 1},
      Case{"DELETE FROM share_groups", "shared subscriptions without a group", 1},
      Case{"UPDATE sessions SET client_id = 'same'",
           "client identifiers with more than one session", 1},
      Case{"UPDATE share_groups SET id = 1", "ids that a session and a group share", 1},
      Case{"UPDATE received SET session = 77", "received packet identifiers without a session", 1},
      Case{"UPDATE sending SET session = 77", "sent packet identifiers without a session", 1},
      Case{"UPDATE sending SET sequence = 99", "sent packet identifiers without their row", 1});
  TempFolder folder;
  const auto file = folder / "relay.db";
  FillStore(file);
  {
    auto database = Database::Open(file);
    REQUIRE(database);
    REQUIRE(database->Execute(broken.sql));
  }
  auto admin = RelayAdmin::Open(file);
  REQUIRE(admin);
  auto findings = admin->Check();
  REQUIRE(findings);
  INFO(broken.sql);
  const auto found = std::ranges::find(*findings, std::string(broken.what), &RelayFinding::what);
  REQUIRE(found != findings->end());
  CHECK(found->count == broken.count);
}

TEST_CASE("relay admin: figures say what is there", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  FillStore(file);
  auto admin = RelayAdmin::Open(file);
  REQUIRE(admin);
  auto f = admin->Figures(2);
  REQUIRE(f);
  CHECK(f->sessions == 2);
  CHECK(f->away == 1);
  CHECK(f->subscriptions == 2);
  CHECK(f->groups == 1);
  CHECK(f->messages == 3);
  CHECK(f->queued == 6);
  CHECK(f->retained == 1);
  CHECK(f->exchanges == 2);
  REQUIRE(f->longest.size() == 2);
  CHECK(f->longest[0].name == "client-1");
  CHECK(f->longest[0].messages == 3);
  CHECK(f->largest[0].name == "client-2");
  CHECK(f->largest[0].bytes > 5000);
  REQUIRE(f->oldest);
  CHECK(*f->oldest <= Now());
  CHECK(*f->oldest > Now() - 1h);
  CHECK(f->file_bytes == std::filesystem::file_size(file));
}

TEST_CASE("relay admin: compacting gives back what was deleted, and nothing else", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  FillStore(file);
  {
    Relay relay(file);
    std::vector<KeepOperation> in, out;
    for (std::uint64_t i = 10; i < 200; ++i) {
      in.emplace_back(Enqueue{MakeMessage(i, Bytes(4000, 'x')), {{1, i}}});
      out.emplace_back(Dequeue{1, i, i});
    }
    relay.Keep(std::move(in));
    relay.WaitCommitted();
    relay.Keep(std::move(out));
    relay.WaitCommitted();
  }
  const auto before = std::filesystem::file_size(file);
  {
    auto admin = RelayAdmin::Open(file);
    REQUIRE(admin);
    REQUIRE(admin->Compact());
    CHECK(admin->Check()->empty());
    CHECK(admin->Figures(0)->queued == 6);
    CHECK(admin->Figures(0)->free_bytes == 0);
  }
  CHECK(std::filesystem::file_size(file) < before / 2);
  CHECK(Relay(file).ReadPage(1, 0, 10).size() == 3);
}

TEST_CASE("relay admin: damage is told, and other files are refused", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  CHECK(RelayAdmin::Open(file).error().code() == Errc::kNotFound);
  FillStore(file);
  {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(-4096, std::ios::end);
    damaged << std::string(4096, '\xAA');
  }
  {
    auto admin = RelayAdmin::Open(file);
    REQUIRE(admin);
    auto findings = admin->Check();
    REQUIRE(findings);
    REQUIRE_FALSE(findings->empty());
    CHECK((*findings)[0].count == 0);
  }
  const auto newer = folder / "newer.db";
  {
    auto database = Database::Open(newer);
    REQUIRE(database);
    REQUIRE(database->Execute("PRAGMA user_version=999"));
  }
  CHECK(RelayAdmin::Open(newer).error().code() == Errc::kUnsupported);
}

}  // namespace
}  // namespace mig::store
