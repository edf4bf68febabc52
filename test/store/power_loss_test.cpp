// Power cuts at any moment: what was told to be committed is there afterwards, what is there is
// what was asked for up to some point, and nothing is damaged. See src/store/README.md.
#include <unistd.h>
#include <atomic>
#include <catch2/catch.hpp>
#include <deque>
#include <iostream>

#include "store/agent_db.h"
#include "store/relay_admin.h"
#include "store/server_db.h"
#include "test/store/power_disk.h"
#include "test/store/relay_fixture.h"
#include "test/store/relay_model.h"
#include "test/store/relay_traffic.h"
#include "test/store/server_fixture.h"
#include "test/temp_folder.h"

namespace mig::store {
namespace {

using namespace mqtt;

constexpr std::size_t kSteps = 200;

// What was on the disk at a power cut, and how much of the traffic had been told to be safe.
struct CutMade {
  std::filesystem::path folder;
  std::size_t told = 0;
};

struct Tally {
  int cuts = 0;
  int lost = 0;     // something that was told is not there
  int damaged = 0;  // the database could not be read, or holds what nobody asked for
  int again = 0;    // cuts while the database was opened after a cut
};

// Where real syncs, which tell nothing here, cost nothing.
std::filesystem::path InMemory() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

// The states that the database may be in, by how many steps were carried out.
std::vector<std::string> StatesOf(const std::vector<RelayStep>& steps) {
  RelayModel model;
  std::vector<std::string> states{model.Print()};
  for (const RelayStep& step : steps) {
    if (const auto* batch = std::get_if<KeepBatch>(&step)) {
      model.Apply(*batch);
    } else {
      model.Sweep(std::get<UtcTime>(step));
    }
    states.push_back(model.Print());
  }
  return states;
}

// Runs the traffic on a disk whose power is cut now and then, each time beside it.
std::deque<CutMade> RunAndCut(const TempFolder& folder, const std::vector<RelayStep>& steps,
                              int one_in, bool lies, std::mt19937& random) {
  std::filesystem::create_directory(folder / "live");
  std::deque<CutMade> cuts;
  std::atomic<std::size_t> told = 0;
  PowerDisk disk(folder / "live");
  disk.lies = lies;
  disk.before_change = [&] {
    if (random() % static_cast<unsigned>(one_in) != 0) return;
    const auto target = folder / ("cut-" + std::to_string(cuts.size()));
    disk.Cut(target, random);
    cuts.push_back({target, told});
  };
  RelayDbOptions options;
  options.file = folder / "live" / "relay.db";
  options.group_for = std::chrono::milliseconds(1);
  options.checkpoint_pages = 40;  // so that some happen
  auto opened = RelayDb::Open(options);
  REQUIRE(opened);
  RelayDb& db = **opened;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, std::size_t> step_of;  // by batch
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* batch = std::get_if<KeepBatch>(&steps[i])) step_of[batch->number] = i + 1;
  }
  Keeper::Answers answers;
  answers.committed = [&](std::uint64_t batch) {
    const std::lock_guard lock(mutex);
    told = step_of.at(batch);
    changed.notify_all();
  };
  answers.page = [](Page) {};
  answers.expired = [](std::vector<ExpiredRow>) {};
  answers.writable = [](bool) {};
  answers.failed = [](const Error& error) { std::cerr << error.message() << '\n'; };
  db.Start(std::move(answers));
  std::mt19937 pace(random());  // `random` is the store's thread's now
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* batch = std::get_if<KeepBatch>(&steps[i])) {
      db.Keep(*batch);
      if (pace() % 4 == 0) {
        std::unique_lock lock(mutex);
        REQUIRE(changed.wait_for(lock, kPatience, [&] { return told == i + 1; }));
      }
    } else {
      db.DropExpired(std::get<UtcTime>(steps[i]));
    }
  }
  db.Stop();
  return cuts;
}

bool IsSound(const std::filesystem::path& file) {
  auto database = Database::Open(file);
  return database && database->Check();
}

// Opens what a cut left. At some moment of that the power may be cut once more.
// `is_sound`: anything else would be a finding.
void Verify(const CutMade& cut, const std::vector<std::string>& states, bool is_sound,
            bool cut_again, std::mt19937& random, Tally& tally) {
  ++tally.cuts;
  std::optional<CutMade> second;
  std::size_t found = 0;
  {
    PowerDisk disk(cut.folder);
    int changes = 0;
    const int cut_at = cut_again ? static_cast<int>(random() % 12) : -1;
    disk.before_change = [&] {
      if (changes++ != cut_at) return;
      second = CutMade{cut.folder.string() + "-again", 0};
      disk.Cut(second->folder, random);
    };
    if (!is_sound && !IsSound(cut.folder / "relay.db")) {
      ++tally.damaged;
      return;
    }
    auto opened = RelayDb::Open({cut.folder / "relay.db"});
    if (!opened || (*opened)->moved_aside()) {
      ++tally.damaged;
      return;
    }
    Relay relay(std::move(*opened));
    const std::string stored = PrintStored(relay);
    const auto from = states.begin() + static_cast<std::ptrdiff_t>(cut.told);
    auto state = std::find(from, states.end(), stored);
    if (state == states.end()) {
      state = std::find(states.begin(), from, stored);
      state == from ? ++tally.damaged : ++tally.lost;
      return;
    }
    found = static_cast<std::size_t>(state - states.begin());
    relay.db->Stop();
    relay.db.reset();
    auto admin = RelayAdmin::Open(cut.folder / "relay.db");
    auto findings = admin ? admin->Check() : Expected<std::vector<RelayFinding>>(admin.error());
    if (!findings || !findings->empty()) {
      ++tally.damaged;
      return;
    }
  }
  if (!second) return;
  ++tally.again;
  // What was found is what stays.
  second->told = found;
  const std::vector<std::string> so_far(states.begin(),
                                        states.begin() + static_cast<std::ptrdiff_t>(found) + 1);
  Verify(*second, so_far, is_sound, false, random, tally);
}

Tally CutMany(std::uint32_t seed, bool lies) {
  TempFolder folder(InMemory());
  RelayTraffic traffic(seed);
  std::vector<RelayStep> steps;
  while (steps.size() < kSteps) steps.push_back(traffic.Next());
  const std::vector<std::string> states = StatesOf(steps);
  std::mt19937 random(seed);
  Tally tally;
  for (const CutMade& cut : RunAndCut(folder, steps, 30, lies, random)) {
    INFO("seed " << seed << ", " << cut.folder << ", told " << cut.told);
    const Tally before = tally;
    Verify(cut, states, !lies, !lies && random() % 3 == 0, random, tally);
    if (!lies) {
      CHECK(tally.lost == before.lost);
      CHECK(tally.damaged == before.damaged);
    }
  }
  return tally;
}

TEST_CASE("power loss: the relay's database keeps what it told to be committed", "[store]") {
  Tally all;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const Tally tally = CutMany(seed, false);
    all.cuts += tally.cuts;
    all.again += tally.again;
  }
  WARN(all.cuts << " power cuts, " << all.again << " of them while recovering from another");
  CHECK(all.cuts > 200);
  CHECK(all.again > 20);
}

// The control: were the order of writes of no importance, this would find nothing either.
TEST_CASE("power loss: a disk that lies about syncs loses what was told", "[store]") {
  const Tally tally = CutMany(1, true);
  CHECK(tally.lost + tally.damaged > 10);
}

// The other two databases change little by little, each change told before the next is asked for:
// what is found is all that was told, and at most the one change that was under way.
template <typename Open, typename Change, typename Count>
int CutLittleByLittle(std::string_view name, int changes, Open open, Change change, Count count) {
  TempFolder folder(InMemory());
  std::filesystem::create_directory(folder / "live");
  std::mt19937 random(7);
  std::deque<CutMade> cuts;
  std::atomic<std::size_t> told = 0;
  {
    PowerDisk disk(folder / "live");
    disk.before_change = [&] {
      if (random() % 10 != 0) return;
      const auto target = folder / ("cut-" + std::to_string(cuts.size()));
      disk.Cut(target, random);
      cuts.push_back({target, told});
    };
    auto db = open(folder / "live" / name);
    for (int i = 0; i < changes; ++i) {
      change(*db, i);
      ++told;
    }
  }
  for (const CutMade& cut : cuts) {
    INFO(cut.folder << ", told " << cut.told);
    const PowerDisk disk(cut.folder);
    CHECK(IsSound(cut.folder / name));
    auto db = open(cut.folder / name);
    const std::size_t found = count(*db, cut.folder / name);
    CHECK(found >= cut.told);
    CHECK(found <= cut.told + 1);
  }
  return static_cast<int>(cuts.size());
}

TEST_CASE("power loss: an agent's ledger keeps every entry that it took", "[store]") {
  const auto open = [](const std::filesystem::path& file) {
    AgentDbOptions options;
    options.reserve_bytes = 64 << 10;
    auto opened = AgentDb::Open(file, options);
    if (!opened) FAIL(opened.error().message());
    return std::move(*opened);
  };
  const auto change = [](AgentDb& db, int i) {
    REQUIRE(db.AppendToLedger({UtcTime(1000ms * i), "startup", {{"number", i}}}));
  };
  const auto count = [](AgentDb& db, const std::filesystem::path& file) {
    LedgerChain chain;
    CHECK(ReadLedger(file, [&](const LedgerEntry& entry) { return bool(chain.Follow(entry)); }));
    CHECK(chain.head() == db.ledger_mark().head);
    return static_cast<std::size_t>(chain.length());
  };
  CHECK(CutLittleByLittle("agent.db", 200, open, change, count) > 50);
}

TEST_CASE("power loss: the server's database keeps what it told to be written", "[store]") {
  const auto open = [](const std::filesystem::path& file) {
    auto opened = ServerDb::Open(file);
    if (!opened) FAIL(opened.error().message());
    return std::move(*opened);
  };
  const auto change = [](ServerDb& db, int i) {
    REQUIRE(db.WriteNow([i](ServerTx& tx) {
      return tx.EnrolAgent({AgentNumber(i), FakeKey(i), "agent-" + std::to_string(i)}, kNow);
    }));
  };
  const auto count = [](ServerDb& db, const std::filesystem::path&) {
    std::size_t found = 0;
    const auto there = [&](std::size_t i) {
      auto agent = db.Read(
          [&](ServerReader& reader) { return reader.FindAgent(AgentNumber(static_cast<int>(i))); });
      REQUIRE(agent);
      return agent->has_value();
    };
    while (there(found)) ++found;
    return found;
  };
  CHECK(CutLittleByLittle("server.db", 60, open, change, count) > 30);
}

}  // namespace
}  // namespace mig::store
