// The relay's memory on disk: sessions, subscriptions, queued and retained messages. SQLite behind
// the interface that the broker's rim knows (mqtt/keeper.h), with one thread that groups commits: a
// transaction takes everything asked for within a few milliseconds, because each commit waits for
// the disk. What was queued and acknowledged within one group is never written at all. Rows that
// nobody waits for any more are deleted in slices between the groups.
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
  std::size_t checkpoint_pages = 4000;
  // A larger file is not read through at each start (RelayDb::Open).
  std::uintmax_t read_through_bytes = std::uintmax_t{64} << 20;
};

class RelayDb final : public mqtt::Keeper {
 public:
  // Opens or creates the database and loads what it holds. A file that cannot be read is moved
  // aside (moved_aside() says where to), and the relay starts empty: a relay that does not start
  // helps nobody, and what it held is sent again by those who know it. Of a large file the payloads
  // are not read through, as that would take minutes; damage there is found when they are read,
  // ends the relay, and the next Open reads everything.
  // Error: kUnavailable: another process uses the file; kUnsupported: written by a newer build;
  // kIo.
  static Expected<std::unique_ptr<RelayDb>> Open(RelayDbOptions options);
  ~RelayDb() override;

  const std::optional<std::filesystem::path>& moved_aside() const { return moved_aside_; }
  mqtt::Snapshot TakeSnapshot() { return std::move(snapshot_); }

  // Keeper. A disk that is full or fails is tried again every second, and nothing is acknowledged
  // meanwhile; only damage ends it (Answers::failed). Questions that do not depend on what is yet
  // to be written are answered before it.
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

  using Clock = std::chrono::steady_clock;
  enum class Commitment { kDone, kLater, kNever };

  RelayDb(RelayDbOptions options, Database database);
  Expected<void> Prepare();
  Expected<void> CheckAtStart();
  void Add(Work work, std::size_t operations);

  // On the store's thread.
  void Run();
  void WaitForWork(std::unique_lock<std::mutex>& lock);
  std::vector<mqtt::PageRequest> TakeReads();
  std::deque<Work> TakeGroup();
  bool Perform(std::deque<Work> group);
  void PutBack(std::vector<mqtt::KeepBatch> batches, std::deque<Work> rest);
  Commitment CommitAll(const std::vector<mqtt::KeepBatch>& batches);
  Expected<void> Commit(const std::vector<mqtt::KeepBatch>& batches);
  bool Answer(const mqtt::PageRequest& request);
  void Fail(Error error);
  bool HasChores() const { return sweeping_ || !dropping_.empty(); }
  void DoChore();
  void SweepSome();
  void DropSome();
  void Postpone(const Error& error);

  const RelayDbOptions options_;
  Database database_;
  std::unique_ptr<Statements> statements_;
  std::optional<std::filesystem::path> moved_aside_;
  mqtt::Snapshot snapshot_;
  Answers answers_;

  // Only on the store's thread.
  bool writable_ = true;
  Clock::time_point retry_at_{};        // while not writable: of the next attempt
  std::optional<UtcTime> sweeping_;     // deleting what had expired then
  std::deque<mqtt::QueueId> dropping_;  // queues whose rows are being deleted
  Clock::time_point chore_at_{};        // not before

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;               // under mutex_
  std::size_t waiting_operations_ = 0;  // under mutex_
  bool in_a_hurry_ = false;             // under mutex_: somebody waits for an answer
  Clock::time_point oldest_;            // under mutex_
  bool stopping_ = false;               // under mutex_
  std::thread thread_;
};

}  // namespace mig::store
