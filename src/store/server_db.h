// The server's database, shared by the processes of API and scheduler: agents, actions, commands,
// results, and who did what. Named for what the roles need; SQL stays in the .cpp files, so that
// another database can stand behind the same functions. Schema: server.sql.
//
// Writes go through one thread for each process, which commits what has gathered as one
// transaction; whoever waits for a write is called after it is on disk. Reads use connections of
// their own and never wait for writers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <type_traits>

#include "store/server_reader.h"
#include "store/server_tx.h"
#include "util/expected.h"

namespace mig::store {

class ServerDb {
 public:
  struct Options {
    std::size_t queue = 4096;  // writes waiting; beyond: kFull
    std::size_t group = 256;   // writes in one transaction, which keeps it short
  };

  // Opens or creates the file and brings its schema up to date. Errors as store::Database.
  static Expected<std::unique_ptr<ServerDb>> Open(const std::filesystem::path& file);
  static Expected<std::unique_ptr<ServerDb>> Open(const std::filesystem::path& file,
                                                  Options options);
  // Commits what is queued, calls what waits for it, and ends the thread.
  ~ServerDb();
  ServerDb(const ServerDb&) = delete;
  ServerDb& operator=(const ServerDb&) = delete;

  // `work` runs on the writer thread in a savepoint of its own: when it returns an error, only its
  // own changes are undone. `done` (may be empty) runs on the writer thread after the commit, with
  // work's error or the commit's; it must not block. Works run in the order of the calls.
  // Error: kFull when the queue is; then neither runs. Any thread.
  using Work = std::function<Expected<void>(ServerTx&)>;
  using Done = std::function<void(Expected<void>)>;
  Expected<void> Write(Work work, Done done);

  // As Write, and waits for the commit. For tools, tests and worker threads, not on an io_context.
  Expected<void> WriteNow(Work work);

  // Runs `work(ServerReader&)`, which returns some Expected<T>, on a read connection that is
  // nobody else's meanwhile. Blocks for the disk, so not on an io_context's thread unless the
  // read is known to be small. Any thread.
  template <typename F>
  std::invoke_result_t<F, ServerReader&> Read(F work) {
    auto reader = Borrow();
    if (!reader) return std::move(reader).error();
    auto outcome = work(**reader);
    Return(std::move(*reader));
    return outcome;
  }

 private:
  struct Impl;
  explicit ServerDb(std::unique_ptr<Impl> impl);
  Expected<std::unique_ptr<ServerReader>> Borrow();
  void Return(std::unique_ptr<ServerReader> reader);

  std::unique_ptr<Impl> impl_;
};

}  // namespace mig::store
