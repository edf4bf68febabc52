// The relay's database by itself: how fast it takes messages for sessions that are away, and how it
// bears a million of them: starting, memory, sweeping, dropping a queue, pages for those who
// return.
//   bench_relay_store FOLDER [MESSAGES [QUEUES [PAYLOAD]]]
// Every message goes to one random queue and expires within a day. Prints lines "what: figure".
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "store/relay_db.h"

namespace {

using namespace mig;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// As the broker: beyond it publishers are not read (mqtt/limits.h).
constexpr std::size_t kUncommitted = 4096;
constexpr UtcTime kNow{std::chrono::hours(24 * 365 * 56)};

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }
double Milliseconds(Clock::duration time) { return 1000 * Seconds(time); }

std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Bytes that this process has caused to be written to a disk.
double WrittenBytes() {
  std::ifstream io("/proc/self/io");
  std::string key;
  double value = 0;
  while (io >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

std::size_t SizeOf(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

// An open database, and what it answered.
class Store {
 public:
  explicit Store(const std::filesystem::path& file) : file_(file) {
    const auto begin = Clock::now();
    auto opened = store::RelayDb::Open({file});
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message().c_str());
      std::exit(1);
    }
    open_time = Clock::now() - begin;
    db_ = std::move(*opened);
    snapshot = db_->TakeSnapshot();
    mqtt::Keeper::Answers answers;
    answers.committed = [this](std::uint64_t batch) {
      const std::lock_guard lock(mutex_);
      const auto now = Clock::now();
      longest_commit = std::max(longest_commit, now - last_commit_);
      last_commit_ = now;
      committed_ = batch;
      ++commits;
      changed_.notify_all();
    };
    answers.page = [this](mqtt::Page page) {
      const std::lock_guard lock(mutex_);
      rows_read += page.rows.size();
      ++pages_;
      changed_.notify_all();
    };
    answers.expired = [this](std::vector<mqtt::ExpiredRow> rows) {
      const std::lock_guard lock(mutex_);
      expired_ += rows.size();
      changed_.notify_all();
    };
    answers.writable = [](bool) {};
    answers.failed = [](const Error& error) {
      std::fprintf(stderr, "%s\n", error.message().c_str());
      std::exit(1);
    };
    db_->Start(std::move(answers));
  }

  void Keep(mqtt::KeepOperation operation) {
    mqtt::KeepBatch batch;
    batch.number = ++asked_;
    batch.operations.push_back(std::move(operation));
    if (asked_ - seen_ >= kUncommitted) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return asked_ - committed_ < kUncommitted; });
      seen_ = committed_;
    }
    wal_bytes = std::max(wal_bytes, asked_ % 256 == 0 ? SizeOf(file_.string() + "-wal") : 0);
    db_->Keep(std::move(batch));
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return committed_ == asked_; });
  }
  Clock::duration ReadPage(mqtt::QueueId queue) {
    const auto begin = Clock::now();
    std::unique_lock lock(mutex_);
    const std::size_t before = pages_;
    lock.unlock();
    db_->Read({queue, 0, mqtt::kPageEntries});
    lock.lock();
    changed_.wait(lock, [&] { return pages_ > before; });
    return Clock::now() - begin;
  }
  // A sweep that finds so many rows.
  Clock::duration Sweep(UtcTime now, std::size_t rows) {
    const auto begin = Clock::now();
    db_->DropExpired(now);
    Keep(mqtt::DropSession{});
    Wait();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return expired_ >= rows; });
    return Clock::now() - begin;
  }
  void StartTimingCommits() {
    const std::lock_guard lock(mutex_);
    last_commit_ = Clock::now();
    longest_commit = {};
    commits = 0;
  }

  mqtt::Snapshot snapshot;
  Clock::duration open_time{};
  Clock::duration longest_commit{};
  std::size_t commits = 0;
  std::size_t wal_bytes = 0;
  std::size_t rows_read = 0;

 private:
  const std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t committed_ = 0;  // under mutex_
  std::uint64_t asked_ = 0;
  std::uint64_t seen_ = 0;
  std::size_t pages_ = 0;                         // under mutex_
  std::size_t expired_ = 0;                       // under mutex_
  Clock::time_point last_commit_ = Clock::now();  // under mutex_
  std::unique_ptr<store::RelayDb> db_;
};

mqtt::MessageRef MakeMessage(mqtt::MessageId id, std::size_t payload, std::mt19937& random) {
  auto message = std::make_shared<mqtt::Message>();
  message->id = id;
  message->topic = "mig/v1/dn/agent-" + std::to_string(random() % 10'000) + "/cmd";
  message->payload = Bytes(payload, 'p');
  message->qos = mqtt::Qos::kAtLeastOnce;
  constexpr std::array kLengths{300s, 3600s, 86'400s};
  // A thousand a second, for one of the usual times.
  message->expires_at = kNow + std::chrono::milliseconds(id) + kLengths[random() % kLengths.size()];
  return message;
}

std::size_t NumberAt(int argc, char** argv, int index, std::size_t otherwise) {
  if (index >= argc) return otherwise;
  std::size_t number = 0;
  std::from_chars(argv[index], argv[index] + std::strlen(argv[index]), number);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_relay_store FOLDER [MESSAGES [QUEUES [PAYLOAD]]]\n");
    return 2;
  }
  const std::filesystem::path file = std::filesystem::path(argv[1]) / "relay.db";
  const std::size_t messages = NumberAt(argc, argv, 2, 1'000'000);
  const std::size_t queues = NumberAt(argc, argv, 3, 2000);
  const std::size_t payload = NumberAt(argc, argv, 4, 512);
  const mqtt::QueueId huge = queues + 1;
  std::mt19937 random(1);
  std::vector<std::uint64_t> sequences(queues + 2);
  mqtt::MessageId last_message = 0;
  std::size_t expiring = 0;  // within twelve hours
  const auto add = [&](Store& store, mqtt::QueueId queue) {
    mqtt::Enqueue enqueue{MakeMessage(++last_message, payload, random), {}};
    if (*enqueue.message->expires_at <= kNow + 12h) ++expiring;
    enqueue.destinations.push_back({queue, ++sequences[queue]});
    store.Keep(std::move(enqueue));
  };
  {
    Store store(file);
    for (mqtt::QueueId id = 1; id <= huge; ++id) {
      mqtt::SessionRecord session;
      session.id = id;
      session.client_id = "agent-" + std::to_string(id);
      session.role = "agent";
      session.away_since = kNow;
      store.Keep(mqtt::PutSession{std::move(session)});
    }
    store.Wait();
    const std::size_t spread = messages - messages / 10;
    store.StartTimingCommits();
    const double written_before = WrittenBytes();
    auto begin = Clock::now();
    for (std::size_t i = 0; i < spread; ++i) add(store, 1 + random() % queues);
    store.Wait();
    std::printf(
        "queued for %zu sessions: %.0f messages/s in %zu commits, longest pause %.0f ms,"
        " %.0f bytes written for each\n",
        queues, static_cast<double>(spread) / Seconds(Clock::now() - begin), store.commits,
        Milliseconds(store.longest_commit),
        (WrittenBytes() - written_before) / static_cast<double>(spread));
    store.StartTimingCommits();
    begin = Clock::now();
    for (std::size_t i = 0; i < messages / 10; ++i) add(store, huge);
    store.Wait();
    std::printf("queued for one session: %.0f messages/s, longest pause %.0f ms\n",
                static_cast<double>(messages / 10) / Seconds(Clock::now() - begin),
                Milliseconds(store.longest_commit));
    std::printf("log at most: %.1f MB\n", static_cast<double>(store.wal_bytes) / 1e6);

    std::vector<double> waits;
    store.StartTimingCommits();
    begin = Clock::now();
    std::size_t written = 0;
    while (Clock::now() - begin < 2s) {
      for (int i = 0; i < 500; ++i, ++written) add(store, 1 + random() % queues);
      waits.push_back(Milliseconds(store.ReadPage(1 + random() % queues)));
    }
    std::ranges::sort(waits);
    std::printf("a page while %.0f messages/s are queued: median %.1f ms, longest %.1f ms\n",
                static_cast<double>(written) / Seconds(Clock::now() - begin),
                waits[waits.size() / 2], waits.back());
  }
  std::printf("file: %.0f MB\n", static_cast<double>(SizeOf(file)) / 1e6);
  {
    const std::size_t before = ResidentBytes();
    Store store(file);
    std::size_t queued = 0;
    for (const auto& queue : store.snapshot.queues) queued += queue.messages;
    std::printf("start with %zu messages: %.2f s, %.1f B resident for each\n", queued,
                Seconds(store.open_time),
                static_cast<double>(ResidentBytes() - before) / static_cast<double>(queued));
    std::printf("sweep that finds none: %.1f ms\n", Milliseconds(store.Sweep(kNow, 0)));
    store.StartTimingCommits();
    const auto taken = store.Sweep(kNow + 12h, expiring);
    std::printf("sweep that finds %zu: %.0f ms\n", expiring, Milliseconds(taken));
    store.StartTimingCommits();
    store.Keep(mqtt::DropSession{huge});
    store.Wait();
    std::printf("session with %zu messages dropped: told after %.1f ms\n", messages / 10,
                Milliseconds(store.longest_commit));
    store.StartTimingCommits();
    const auto begin = Clock::now();
    std::size_t written = 0;
    while (Clock::now() - begin < 2s) {
      for (int i = 0; i < 500; ++i, ++written) add(store, 1 + random() % queues);
      store.Wait();
    }
    std::printf("meanwhile %.0f messages/s, longest pause %.0f ms\n",
                static_cast<double>(written) / Seconds(Clock::now() - begin),
                Milliseconds(store.longest_commit));
  }
  return 0;
}
