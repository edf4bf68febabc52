// The relay's memory on disk: sessions, subscriptions, queued and retained messages. SQLite behind
// the interface that the broker's rim knows (mqtt/keeper.h), with one thread that groups commits: a
// transaction takes everything asked for within a few milliseconds, because each commit waits for
// the disk. What was queued and acknowledged within one group is never written at all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "mqtt/keeper.h"
#include "store/sqlite.h"
#include "util/expected.h"

namespace mig::store {

struct RelayDbOptions {
  std::filesystem::path file;
  // A group is committed when its oldest operation has waited so long, or it has so many.
  std::chrono::milliseconds group_for{5};
  std::size_t group_operations = 256;
  // The log of changes goes into the database proper when it has so many pages.
  std::size_t checkpoint_pages = 1000;
};

class RelayDb final : public mqtt::Keeper {
 public:
  // Opens or creates the database and loads what it holds. A file that cannot be read is moved
  // aside (moved_aside() says where to), and the relay starts empty: a relay that does not start
  // helps nobody, and what it held is sent again by those who know it.
  // Error: kUnavailable: another process uses the file; kUnsupported: written by a newer build;
  // kIo.
  static Expected<std::unique_ptr<RelayDb>> Open(RelayDbOptions options);
  ~RelayDb() override;

  const std::optional<std::filesystem::path>& moved_aside() const { return moved_aside_; }
  mqtt::Snapshot TakeSnapshot() { return std::move(snapshot_); }

  // Keeper. A disk that is full or fails is tried again every second, and nothing is acknowledged
  // meanwhile; only damage ends it (Answers::failed).
  void Start(Answers answers) override;
  void Keep(mqtt::KeepBatch batch) override;
  void Read(mqtt::PageRequest request) override;
  void DropExpired(UtcTime now) override;
  void Stop() override;

 private:
  struct SweepRequest {
    UtcTime now;
  };
  using Work = std::variant<mqtt::KeepBatch, mqtt::PageRequest, SweepRequest>;
  struct Statements;

  RelayDb(RelayDbOptions options, Database database);
  Expected<void> Prepare();
  Expected<void> Load();
  void Add(Work work, std::size_t operations);
  void Run();
  void Perform(std::deque<Work> work);
  // False: stopped, or damaged.
  bool CommitUntilDone(const std::vector<mqtt::KeepBatch>& batches);
  Expected<void> Commit(const std::vector<mqtt::KeepBatch>& batches);
  Expected<mqtt::Page> ReadPage(const mqtt::PageRequest& request);
  Expected<std::vector<mqtt::ExpiredRow>> DeleteExpired(UtcTime now);

  const RelayDbOptions options_;
  Database database_;
  std::unique_ptr<Statements> statements_;
  std::optional<std::filesystem::path> moved_aside_;
  mqtt::Snapshot snapshot_;
  Answers answers_;
  bool writable_ = true;  // only on the store's thread

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;                         // under mutex_
  std::size_t waiting_operations_ = 0;            // under mutex_
  bool in_a_hurry_ = false;                       // under mutex_: somebody waits for an answer
  std::chrono::steady_clock::time_point oldest_;  // under mutex_
  bool stopping_ = false;                         // under mutex_
  std::thread thread_;
};

}  // namespace mig::store
