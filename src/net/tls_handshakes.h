// TLS handshakes on threads of their own: a full one is 1 to 2 ms of arithmetic, during which a
// herd that returns would keep everybody else waiting. Whoever owns the connections waits for
// readiness, deadlines and bounds as before, and lends out a stream while there is something to
// compute. These threads know no other state.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "crypto/certificate.h"
#include "net/server_stream.h"
#include "net/tls_server_context.h"
#include "util/expected.h"

namespace mig {

class TlsHandshakes {
 public:
  struct Outcome {
    LinkStream::State state;
    // With kDone: who the peer is, as `context` says.
    std::optional<Expected<PeerName>> name;
    std::shared_ptr<const TlsServerContext> context;
  };
  // Called on one of the threads, with nothing locked.
  using Answer = std::function<void(Outcome)>;

  // 0: as many threads as processors, but two at least.
  explicit TlsHandshakes(std::size_t threads);
  // Waits for the steps that are being computed; those that were not begun are given no answer.
  ~TlsHandshakes();
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  // Goes on with a handshake as far as it gets without waiting for the peer. Until the answer
  // nobody else may touch the stream, and it must be there. How many are asked for is bounded by
  // whoever asks: at most one for each connection.
  void Step(ServerStream& stream, std::shared_ptr<const TlsServerContext> context, Answer answer);

 private:
  struct Job {
    ServerStream* stream;
    std::shared_ptr<const TlsServerContext> context;
    Answer answer;
  };

  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;   // under mutex_
  bool stopping_ = false;  // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace mig
