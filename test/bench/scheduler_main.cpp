// What ten thousand agents cost the scheduler and its store, without relay and network: one action
// to all of them, a receipt and a result part back from each, real signatures and a real disk.
//   bench_scheduler [AGENTS] [FOLDER]
// Prints wall and CPU seconds of each step; on a shared machine CPU is the figure to compare.
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "proto/topics.h"
#include "roles/scheduler/announcer.h"
#include "roles/scheduler/collector.h"
#include "roles/scheduler/dispatcher.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/store_queue.h"
#include "store/server_db.h"
#include "test/temp_folder.h"
#include "util/log.h"

namespace mig::scheduler {
namespace {

class CountingRelays : public Relays {
 public:
  const std::vector<RelayState>& States() const override { return states_; }
  std::size_t Room(std::size_t) const override { return 256; }
  void Post(std::size_t, Outgoing message) override {
    if (message.topic.ends_with("/cmd")) ++commands;
    if (message.topic.ends_with("/ctl")) ++acknowledgements;
    if (message.topic.ends_with("/action")) ++events;
    if (message.done) message.done({});
  }
  std::size_t commands = 0, acknowledgements = 0, events = 0;

 private:
  const std::vector<RelayState> states_{{"relay", true}};
};

void Check(const Expected<void>& outcome, const char* what) {
  if (outcome) return;
  std::fprintf(stderr, "bench_scheduler: %s: %s\n", what, outcome.error().message().c_str());
  std::exit(1);
}

class Stopwatch {
 public:
  void Print(const char* what, std::size_t count) {
    const double wall = std::chrono::duration<double>(Clock::now() - wall_).count();
    const double cpu = Cpu() - cpu_;
    std::printf("%-44s %7.2f s wall %7.2f s CPU %8.0f/s\n", what, wall, cpu,
                static_cast<double>(count) / wall);
    wall_ = Clock::now();
    cpu_ = Cpu();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double Cpu() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  Clock::time_point wall_ = Clock::now();
  double cpu_ = Cpu();
};

int Measure(std::size_t count, const std::filesystem::path& folder) {
  log::Configure(log::Level::kWarning, log::Format::kText, "bench");
  store::ServerDb::Options db_options;
  db_options.queue = 32'768;
  auto db = store::ServerDb::Open(folder / "server.db", db_options);
  if (!db) Check(std::move(db).error(), "open the store");

  std::vector<SecretKey> keys;
  std::vector<AgentId> ids;
  for (std::size_t i = 0; i < count; ++i) {
    keys.push_back(SecretKey::Generate());
    ids.push_back(*AgentId::FromBytes(keys.back().public_key().Fingerprint()));
  }
  Stopwatch watch;
  const UtcTime now = Now();
  Check((*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes key(keys[i].public_key().View());
      auto done = tx.EnrolAgent({ids[i], key, "host-" + std::to_string(i)}, now);
      if (!done) return done;
    }
    return {};
  }),
        "enrol");
  watch.Print("enrolled in one transaction", count);

  boost::asio::io_context io;
  const auto guard = boost::asio::make_work_guard(io);
  CountingRelays relays;
  StoreQueue store(**db, io);
  Announcer announcer(io, relays);
  Dispatcher dispatcher(io, store, relays, announcer, {"bench", {}});
  Collector collector(store, relays, announcer, dispatcher, {});

  store::NewAction action;
  action.id = *ActionId::FromBytes(RandomBytes(16));
  action.digest = Sha256("payload");
  action.envelope = R"({"payload":")" + std::string(4096, 'A') + "\"}";
  action.weight_reached = true;
  action.name = "bench";
  action.target = "name LIKE 'host-%'";
  action.validfrom = now - std::chrono::minutes(1);
  action.expireafter = now + std::chrono::hours(1);
  action.limit_bytes = 1 << 20;
  Check((*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto added = tx.AddAction(action, "bench", now);
    if (!added) return std::move(added).error();
    return {};
  }),
        "add the action");
  dispatcher.Wake();
  while (relays.commands < count) io.run_one();
  watch.Print("action expanded and commands sent", count);

  const LedgerMark mark{1, Bytes(32, 'l')};
  std::vector<Bytes> receipts, parts;
  for (std::size_t i = 0; i < count; ++i) {
    receipts.push_back(EncodeEnvelope(
        Seal(kReceiptType, EncodeReceipt({ids[i], action.id, "started", "", "", now, 1, mark}),
             keys[i])));
    ResultPart part;
    part.agent = ids[i];
    part.action = action.id;
    part.last = true;
    part.status = CommandStatus::kSuccess;
    part.time = now;
    part.ledger = mark;
    part.elements.push_back({"s1", json::object{{"file", "/etc/passwd"}, {"size", 1500}}});
    part.summary = OperationSummary{
        CommandStatus::kSuccess, {{"foundanything", true}, {"success", true}}, "full"};
    parts.push_back(EncodeEnvelope(Seal(kResultType, EncodeResultPart(part), keys[i])));
  }
  watch.Print("(agents: answers signed)", 2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string topic = topics::Result(ids[i]);
    collector.Receive(0, topic, receipts[i]);
    collector.Receive(0, topic, parts[i]);
    io.poll();
  }
  const auto completed = [&] {
    auto row =
        (*db)->Read([&](store::ServerReader& reader) { return reader.FindAction(action.id); });
    return row && *row && (*row)->status == ActionStatus::kCompleted;
  };
  while (!completed()) io.run_one_for(std::chrono::milliseconds(10));
  watch.Print("receipts and parts verified and stored", 2 * count);
  for (int i = 0; i < 100; ++i) {
    auto counters =
        (*db)->Read([&](store::ServerReader& reader) { return reader.CountCommands(action.id); });
    if (!counters || counters->success != count) return 1;
  }
  watch.Print("counters read 100 times", 100);

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu acknowledgements, %zu events, %ld MB resident at most\n",
              relays.acknowledgements, relays.events, usage.ru_maxrss / 1024);
  db->reset();
  return 0;
}

}  // namespace
}  // namespace mig::scheduler

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  const mig::TempFolder folder;
  return mig::scheduler::Measure(count, argc > 2 ? argv[2] : folder.path());
}
