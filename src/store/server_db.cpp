#include "store/server_db.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "store/server_sql.h"
#include "store/server_statements.h"

namespace mig::store {
namespace {

// Works that are slow (large parts, a page of 2,000 commands) close their group early: the other
// process waits for its turn to write meanwhile.
constexpr std::chrono::milliseconds kLongestGroup{30};

// SQLite hands the write lock to nobody: whoever looks when it is free has it. Under load a writer
// leaves it free now and then for longer than another process takes to look (store/sqlite.cpp).
constexpr int kGroupsInARow = 4;
constexpr std::chrono::milliseconds kBreather{3};

// Connections that wait for the next Read. More are opened when more threads read at once.
constexpr std::size_t kIdleReaders = 8;

struct Pending {
  ServerDb::Work work;
  ServerDb::Done done;
};

void Tell(Pending& pending, Expected<void> outcome) {
  if (pending.done) pending.done(std::move(outcome));
}

}  // namespace

struct ServerDb::Impl {
  std::filesystem::path file;
  Options options;
  std::unique_ptr<ServerTx> tx;  // Only on the writer thread.
  Database* database = nullptr;  // Of tx.

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Pending> queue;                        // Under mutex.
  bool ending = false;                              // Under mutex.
  std::vector<std::unique_ptr<ServerReader>> idle;  // Under mutex.

  std::thread writer;

  void Run();
  void RunGroup(std::deque<Pending>& waiting);
  Expected<void> RunOne(Work& work);
};

// Takes all that gathered while the group before was being written: under load groups grow by
// themselves, and a lone write waits for nobody.
void ServerDb::Impl::Run() {
  std::deque<Pending> waiting;
  int in_a_row = 0;
  for (;;) {
    if (waiting.empty()) {
      std::unique_lock lock(mutex);
      if (!ending && queue.empty()) in_a_row = 0;
      wake.wait(lock, [&] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      waiting.swap(queue);
    }
    RunGroup(waiting);
    if (++in_a_row % kGroupsInARow == 0) std::this_thread::sleep_for(kBreather);
  }
}

void ServerDb::Impl::RunGroup(std::deque<Pending>& waiting) {
  std::vector<std::pair<Pending, Expected<void>>> group;
  auto transaction = Transaction::Begin(*database);
  if (!transaction) {
    Pending first = std::move(waiting.front());
    waiting.pop_front();
    Tell(first, std::move(transaction).error().During("begin to write"));
    return;
  }
  const auto begun = std::chrono::steady_clock::now();
  Expected<void> whole;
  while (whole && !waiting.empty() && group.size() < options.group &&
         std::chrono::steady_clock::now() - begun < kLongestGroup) {
    Pending pending = std::move(waiting.front());
    waiting.pop_front();
    auto marked = database->Execute("SAVEPOINT work");
    Expected<void> outcome = marked ? pending.work(*tx) : marked;
    if (!outcome) {
      // Fails when SQLite has given up the whole transaction (disk full, I/O error).
      if (auto undone = database->Execute("ROLLBACK TO work"); !undone) whole = outcome;
    }
    if (whole) whole = database->Execute("RELEASE work");
    group.emplace_back(std::move(pending), std::move(outcome));
  }
  if (whole) whole = transaction->Commit();
  for (auto& [pending, outcome] : group) {
    Tell(pending, whole || !outcome ? std::move(outcome) : whole);
  }
}

ServerDb::ServerDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Expected<std::unique_ptr<ServerDb>> ServerDb::Open(const std::filesystem::path& file) {
  return Open(file, Options());
}

Expected<std::unique_ptr<ServerDb>> ServerDb::Open(const std::filesystem::path& file,
                                                   Options options) {
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->options = options;
  auto tx = ServerTx::Open(file);
  if (!tx) return std::move(tx).error();
  impl->tx = std::move(*tx);
  impl->database = &impl->tx->statements().database();
  impl->writer = std::thread([running = impl.get()] { running->Run(); });
  return std::unique_ptr<ServerDb>(new ServerDb(std::move(impl)));
}

ServerDb::~ServerDb() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->wake.notify_one();
  impl_->writer.join();
}

Expected<void> ServerDb::Write(Work work, Done done) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->queue.size() >= impl_->options.queue) {
      return Error(Errc::kFull, impl_->file.string() + ": " + std::to_string(impl_->options.queue) +
                                    " writes are waiting; is the disk slow?");
    }
    impl_->queue.push_back(Pending{std::move(work), std::move(done)});
  }
  impl_->wake.notify_one();
  return {};
}

Expected<void> ServerDb::WriteNow(Work work) {
  std::mutex mutex;
  std::condition_variable told;
  std::optional<Expected<void>> outcome;
  auto queued = Write(std::move(work), [&](Expected<void> result) {
    const std::lock_guard lock(mutex);
    outcome = std::move(result);
    told.notify_one();  // under the lock: the waiter's stack goes away right after
  });
  if (!queued) return queued;
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return outcome.has_value(); });
  return std::move(*outcome);
}

Expected<std::unique_ptr<ServerReader>> ServerDb::Borrow() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->idle.empty()) {
      auto reader = std::move(impl_->idle.back());
      impl_->idle.pop_back();
      return reader;
    }
  }
  return ServerReader::Open(impl_->file);
}

void ServerDb::Return(std::unique_ptr<ServerReader> reader) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->idle.size() < kIdleReaders) impl_->idle.push_back(std::move(reader));
}

// ---- opening connections

ServerReader::ServerReader(std::unique_ptr<ServerStatements> statements)
    : statements_(std::move(statements)) {}
ServerReader::~ServerReader() = default;

Expected<std::unique_ptr<ServerReader>> ServerReader::Open(const std::filesystem::path& file) {
  auto statements = ServerStatements::Open(file, Access::kReadOnly);
  if (!statements) return std::move(statements).error();
  return std::unique_ptr<ServerReader>(new ServerReader(std::move(*statements)));
}

Expected<std::unique_ptr<ServerTx>> ServerTx::Open(const std::filesystem::path& file) {
  auto statements = ServerStatements::Open(file, Access::kReadWrite);
  if (!statements) return std::move(statements).error();
  if (auto done = (*statements)->database().Migrate(kServerSql); !done) {
    return std::move(done).error();
  }
  return std::unique_ptr<ServerTx>(new ServerTx(std::move(*statements)));
}

}  // namespace mig::store
