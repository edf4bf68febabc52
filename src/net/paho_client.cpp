#include "net/paho_client.h"

#include <signal.h>

#include <thread>

#include "net/paho_exchange.h"
#include "net/paho_session.h"
#include "net/paho_waker.h"

namespace mig {
namespace {

using namespace paho;

// How long a disconnect waits for what is in flight.
constexpr std::chrono::milliseconds kDisconnectPatience{500};
// While a connection is being made or publishes are under way without progress, Paho's threads are
// made to look, less and less often (net/paho_waker.h).
constexpr std::chrono::milliseconds kFirstNudge{1};
constexpr std::chrono::milliseconds kLastNudge{64};
constexpr std::chrono::seconds kWatchInterval{30};

// Our thread: the only one that calls Paho.
class Driver {
 public:
  explicit Driver(std::shared_ptr<Exchange> shared) : shared_(std::move(shared)) {}

  void Run() {
    while (Await()) {
      std::unique_lock lock(shared_->mutex);
      if (!shared_->requests.empty()) {
        Request request = std::move(shared_->requests.front());
        shared_->requests.pop_front();
        lock.unlock();
        std::visit([&](auto& what) { Do(request.attempt, what); }, request.what);
      } else if (MayPublish()) {
        PublishRequest request = std::move(shared_->publishes.front());
        shared_->publishes.pop_front();
        if (request.attempt != shared_->attempt) continue;
        ++shared_->in_flight;
        lock.unlock();
        Publish(request);
      }
    }
    // What the relay does for a connection that breaks, done by ourselves: the wrapper cannot say
    // "disconnect with will" (MQTT 5.0 section 3.14.2.1), and destroys its client in order.
    if (session_ && session_->will()) {
      const LinkWill& will = *session_->will();
      const std::lock_guard lock(shared_->mutex);
      shared_->publishes = {{session_->attempt(), 0, {will.topic, will.payload}, 1, {}, false}};
    }
    End();
  }

 private:
  // Under the lock.
  bool MayPublish() const {
    return !shared_->publishes.empty() && (shared_->in_flight < shared_->window ||
                                           shared_->publishes.front().attempt != shared_->attempt);
  }

  // Until there is something to do; false when it is time to end.
  bool Await() {
    std::unique_lock lock(shared_->mutex);
    const auto ready = [&] {
      return shared_->closing || !shared_->requests.empty() || MayPublish();
    };
    while (!ready()) {
      if (shared_->completed != completed_seen_) {
        completed_seen_ = shared_->completed;
        nudge_after_ = kFirstNudge;
      }
      const bool connecting = session_ && session_->connecting();
      if (!connecting && shared_->in_flight == 0) {
        nudge_after_ = kFirstNudge;
        const bool quiet =
            shared_->requested.wait_for(lock, kWatchInterval) == std::cv_status::timeout;
        if (quiet && session_ && shared_->window > 0) {
          lock.unlock();
          session_->Watch();
          lock.lock();
        }
      } else if (shared_->requested.wait_for(lock, nudge_after_) == std::cv_status::timeout) {
        lock.unlock();
        PahoWaker::Get().WakeReceiver();
        if (!connecting) PahoWaker::Get().WakeSender();
        nudge_after_ = std::min(nudge_after_ * 2, kLastNudge);
        lock.lock();
      }
    }
    return !shared_->closing;
  }

  bool Means(std::uint64_t attempt) const { return session_ && session_->attempt() == attempt; }

  // From now on only what belongs to this attempt counts.
  void Begin(std::uint64_t attempt) {
    const std::lock_guard lock(shared_->mutex);
    shared_->attempt = attempt;
    shared_->in_flight = 0;
    shared_->window = 0;
  }

  void Fail(PahoEvent::Kind kind, std::uint64_t attempt, const char* what,
            const std::exception& e) {
    shared_->Tell({.kind = kind,
                   .attempt = attempt,
                   .outcome = Error(Errc::kUnavailable, std::string(what) + ": " + e.what())});
  }

  void Do(std::uint64_t attempt, ConnectRequest& request) {
    try {
      session_.reset();
      Begin(attempt);
      PahoWaker::Get();
      session_ = std::make_unique<Session>(shared_, attempt, std::move(request.options));
      session_->Connect(request.will, request.proxy);
    } catch (const std::exception& e) {  // mqtt::exception and bad_alloc; the library's boundary
      Fail(PahoEvent::Kind::kConnectFailed, attempt, "connect", e);
    }
  }
  void Do(std::uint64_t attempt, SubscribeRequest& request) {
    if (!Means(attempt)) return;
    try {
      session_->Subscribe(request.filter);
    } catch (const std::exception& e) {
      Fail(PahoEvent::Kind::kSubscribed, attempt, "subscribe", e);
    }
  }
  void Do(std::uint64_t attempt, DisconnectRequest&) {
    if (Means(attempt)) End();
    shared_->Tell({.kind = PahoEvent::Kind::kDisconnected, .attempt = attempt});
  }
  void Do(std::uint64_t attempt, AbandonRequest&) {
    if (Means(attempt)) session_.reset();
  }

  // Sends what waits to be published, gives the relay some time to acknowledge it, and disconnects.
  void End() {
    if (!session_) return;
    std::unique_lock lock(shared_->mutex);
    if (shared_->window > 0) {
      for (PublishRequest& request : std::exchange(shared_->publishes, {})) {
        if (request.attempt != shared_->attempt) continue;
        ++shared_->in_flight;
        lock.unlock();
        Publish(request);
        lock.lock();
      }
    }
    const auto deadline = std::chrono::steady_clock::now() + kDisconnectPatience;
    while (shared_->in_flight > 0 && std::chrono::steady_clock::now() < deadline) {
      if (shared_->requested.wait_for(lock, kFirstNudge) == std::cv_status::timeout) {
        lock.unlock();
        PahoWaker::Get().WakeReceiver();
        PahoWaker::Get().WakeSender();
        lock.lock();
      }
    }
    lock.unlock();
    session_->Disconnect();
    session_.reset();
  }

  void Publish(const PublishRequest& request) {
    if (!Means(request.attempt)) return;
    try {
      session_->Publish(request);
    } catch (const std::exception& e) {
      shared_->TellPublished(request.attempt, request.publish,
                             Error(Errc::kUnavailable, std::string("publish: ") + e.what()));
    }
  }

  const std::shared_ptr<Exchange> shared_;
  std::unique_ptr<Session> session_;
  std::chrono::milliseconds nudge_after_ = kFirstNudge;
  std::uint64_t completed_seen_ = 0;
};

}  // namespace

PahoClient::PahoClient(std::function<void()> wake) : shared_(std::make_shared<Exchange>()) {
  shared_->wake = std::move(wake);
  // Paho's threads are started by ours and inherit its mask: signals stay with the role's thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([shared = shared_] {
    Driver(shared).Run();
    {
      const std::lock_guard lock(shared->mutex);
      shared->done = true;
    }
    shared->finished.notify_all();
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PahoClient::~PahoClient() {
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->wake = nullptr;
  shared_->requested.notify_all();
  shared_->space.notify_all();
  // Paho may be resolving a name, which nothing can interrupt; then the thread ends when it can,
  // and holds on to nothing but what it shares with Paho.
  shared_->finished.wait_for(lock, std::chrono::seconds(2), [&] { return shared_->done; });
}

void PahoClient::Connect(std::uint64_t attempt, LinkOptions options, std::optional<LinkWill> will,
                         std::string proxy) {
  shared_->Ask({attempt, ConnectRequest{std::move(options), std::move(will), std::move(proxy)}});
}

void PahoClient::Subscribe(std::uint64_t attempt, std::string filter) {
  shared_->Ask({attempt, SubscribeRequest{std::move(filter)}});
}

void PahoClient::Publish(std::uint64_t attempt, std::uint64_t publish, PahoMessage message, int qos,
                         std::chrono::seconds expiry, bool retain) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->publishes.push_back({attempt, publish, std::move(message), qos, expiry, retain});
  }
  shared_->requested.notify_one();
}

void PahoClient::Disconnect(std::uint64_t attempt) { shared_->Ask({attempt, DisconnectRequest{}}); }

void PahoClient::Abandon(std::uint64_t attempt) { shared_->Ask({attempt, AbandonRequest{}}); }

std::vector<PahoEvent> PahoClient::TakeEvents() {
  const std::lock_guard lock(shared_->mutex);
  shared_->woken = false;
  return std::exchange(shared_->events, {});
}

std::optional<PahoMessage> PahoClient::TakeMessage() {
  std::optional<PahoMessage> message;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->messages.empty()) return std::nullopt;
    message = std::move(shared_->messages.front());
    shared_->messages.pop_front();
    shared_->message_bytes -= message->payload.size();
  }
  shared_->space.notify_one();
  return message;
}

void PahoClient::Delivering(bool delivering) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->delivering = delivering;
  }
  shared_->space.notify_all();
}

std::uint64_t PahoClient::TakeDropped() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->dropped, 0);
}

}  // namespace mig
