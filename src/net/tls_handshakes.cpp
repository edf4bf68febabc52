#include "net/tls_handshakes.h"

#include <sys/resource.h>

#include <algorithm>

namespace mig {
namespace {

// Of several steps that are due, those whose clients are further are not preferred: first come,
// first served is what keeps a deadline fair. But the thread that serves everybody who is in goes
// before these, as far as the system's scheduler will have it.
constexpr int kNice = 5;

}  // namespace

TlsHandshakes::TlsHandshakes(std::size_t threads) {
  if (threads == 0) threads = std::max(2U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

TlsHandshakes::~TlsHandshakes() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void TlsHandshakes::Step(ServerStream& stream, std::shared_ptr<const TlsServerContext> context,
                         Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({&stream, std::move(context), std::move(answer)});
  }
  changed_.notify_one();
}

void TlsHandshakes::Run() {
  // On Linux this is the calling thread's alone. If it is refused we are as nice as before.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Outcome outcome{job.stream->Handshake(), std::nullopt, std::move(job.context)};
    if (outcome.state == LinkStream::State::kDone) {
      outcome.name = outcome.context->NameOf(job.stream->tls());
    }
    job.answer(std::move(outcome));
  }
}

}  // namespace mig
