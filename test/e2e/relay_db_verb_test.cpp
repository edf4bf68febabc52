// mig relay db, on the database of a real relay.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "store/sqlite.h"
#include "test/e2e/mqtt_swarm.h"
#include "test/e2e/process.h"
#include "test/temp_folder.h"
#include "util/json.h"

namespace mig::e2e {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Background> StartRelay(const std::filesystem::path& store, std::uint16_t& port) {
  auto relay = std::make_unique<Background>(
      std::vector<std::string>{MIG_BUILD_DIR "/mig", "relay", "--open", "--listen", "127.0.0.1:0",
                               "--store", store.string()});
  REQUIRE(relay->WaitForOutput("sessions=", 20s));
  const auto at = relay->err().find("port=");
  port = static_cast<std::uint16_t>(std::atoi(relay->err().c_str() + at + 5));
  return relay;
}

Outcome Db(std::vector<std::string> words) {
  words.insert(words.begin(), {MIG_BUILD_DIR "/mig", "relay", "db"});
  return Run(words);
}

json::object ParseReport(const std::string& text) {
  auto report = json::ParseObject(text);
  if (!report) FAIL(text);
  return std::move(*report);
}

TEST_CASE("relay db: check, stats and compact of what a killed relay left", "[relay]") {
  TempFolder folder;
  const auto store = folder / "relay.db";
  const std::string named = store.string();
  std::uint16_t port = 0;
  auto relay = StartRelay(store, port);
  {
    Swarm swarm;
    SwarmClient away(swarm, "away", mqtt::Version::k5);
    away.WantSubscription("t/#", mqtt::Qos::kAtLeastOnce);
    away.Connect(port);
    REQUIRE(swarm.Run(20s, [&] { return away.subscribed(); }));
    away.Disconnect();
    SwarmClient publisher(swarm, "publisher", mqtt::Version::k311);
    publisher.Connect(port);
    REQUIRE(swarm.Run(20s, [&] { return publisher.up(); }));
    for (int i = 0; i < 20; ++i) {
      publisher.Publish("t/x", Bytes(1000, 'x'), mqtt::Qos::kAtLeastOnce, i == 0);
    }
    REQUIRE(swarm.Run(20s, [&] { return publisher.unanswered() == 0; }));
  }
  const Outcome busy = Db({"stats", "--store", named});
  CHECK(busy.status == 5);
  CHECK(busy.err.find("stop it first") != std::string::npos);
  CHECK(busy.out.empty());

  relay->Signal(SIGKILL);
  REQUIRE(relay->Wait(20s));
  const Outcome check = Db({"check", "--store", named});
  CHECK(check.status == 0);
  CHECK(check.out == "sound\n");
  const json::object stats = ParseReport(Db({"stats", "--store", named, "--json"}).out);
  CHECK(stats.at("sessions").as_int64() == 2);
  CHECK(stats.at("messages").as_int64() == 20);
  CHECK(stats.at("retained").at("messages").as_int64() == 1);
  CHECK(stats.at("longest").as_array().at(0).at("name").as_string() == "away");
  CHECK(stats.at("oldest").is_string());
  const Outcome text = Db({"stats", "--store", named, "--top", "1"});
  CHECK(text.out.find("20 messages") != std::string::npos);
  CHECK(text.out.find("most bytes") != std::string::npos);
  const Outcome compact = Db({"compact", "--store", named, "--json"});
  CHECK(compact.status == 0);
  const json::object sizes = ParseReport(compact.out);
  CHECK(sizes.at("after").as_int64() == static_cast<std::int64_t>(file_size(store)));

  relay = StartRelay(store, port);
  {
    Swarm swarm;
    SwarmClient away(swarm, "away", mqtt::Version::k5);
    int received = 0;
    away.on_message = [&](const mqtt::Publish&) { ++received; };
    away.Connect(port);
    REQUIRE(swarm.Run(20s, [&] { return received == 20; }));
  }
  relay->Signal(SIGTERM);
  REQUIRE(relay->Wait(20s));

  {
    auto database = store::Database::Open(store);
    REQUIRE(database);
    REQUIRE(database->Execute("UPDATE subscriptions SET session = 999"));
  }
  const Outcome broken = Db({"check", "--store", named, "--json"});
  CHECK(broken.status == 1);
  const json::object report = ParseReport(broken.out);
  CHECK_FALSE(report.at("sound").as_bool());
  CHECK(report.at("findings").as_array().at(0).at("count").as_int64() == 1);

  std::ofstream(store, std::ios::binary) << std::string(8192, 'z');
  const Outcome garbage = Db({"check", "--store", named});
  CHECK(garbage.status == 1);
  CHECK(garbage.out.starts_with("damage: "));
}

TEST_CASE("relay db: words that are wrong are told what is right", "[relay]") {
  const Outcome unknown = Db({"chekc"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err.find("check") != std::string::npos);
  const Outcome missing = Db({"check", "--store", "/no/such/relay.db"});
  CHECK(missing.status == 2);
  CHECK(missing.err.find("no such database") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists("/no/such"));
  for (const char* verb : {"check", "stats", "compact"}) {
    const Outcome help = Db({verb, "--help"});
    CHECK(help.status == 0);
    CHECK(help.out.find(std::string("mig relay db ") + verb) != std::string::npos);
    CHECK(help.out.find("--json") != std::string::npos);
  }
}

}  // namespace
}  // namespace mig::e2e
