// The scheduler's way to the store: works run on the store's writer thread, and what follows them
// comes back on the scheduler's own thread.
#pragma once

#include <functional>

#include "store/server_db.h"

namespace boost::asio {
class io_context;
}

namespace mig::scheduler {

class StoreQueue {
 public:
  // Both outlive this; `io` is run by one thread, on which everything here is called.
  StoreQueue(store::ServerDb& db, boost::asio::io_context& io) : db_(db), io_(io) {}

  // Runs `work` and then, on our thread, `then` (may be empty) with its outcome. `point` is the
  // stem of two crash points around the commit: `before` on entry to work, `after` right after it.
  // A full queue is an outcome like any other (kFull).
  using Then = std::function<void(Expected<void>)>;
  struct CrashPoints {
    const char* before = nullptr;
    const char* after = nullptr;
  };
  void Write(CrashPoints points, store::ServerDb::Work work, Then then);

  // Runs `then` on our thread after what has come back from the store by now.
  void Later(std::function<void()> then);

 private:
  store::ServerDb& db_;
  boost::asio::io_context& io_;
};

}  // namespace mig::scheduler
