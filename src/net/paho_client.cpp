#include "net/paho_client.h"

#include <mqtt/async_client.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "net/host.h"
#include "net/paho_waker.h"
#include "util/text.h"

namespace mig {
namespace {

// A packet above this is refused by the relay: more than any message of ours, whose envelopes stay
// below 256 KiB.
constexpr std::int32_t kMaxPacketBytes = 1 << 20;
// How long a disconnect waits for what is in flight, and then for Paho.
constexpr std::chrono::milliseconds kDisconnectPatience{500};
// The relay's Receive Maximum is kept here, below Paho: past it Paho would look for
// acknowledgements only once a second.
constexpr std::size_t kLargestWindow = 1024;
// While a connection is being made or publishes are under way without progress, Paho's threads are
// made to look, less and less often (net/paho_waker.h).
constexpr std::chrono::milliseconds kFirstNudge{1};
constexpr std::chrono::milliseconds kLastNudge{64};
constexpr std::chrono::seconds kWatchInterval{30};
// Forward secrecy and authenticated encryption only, which also leaves TLS 1.2 and 1.3 only.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct ConnectRequest {
  LinkOptions options;
  std::optional<LinkWill> will;
};
struct SubscribeRequest {
  std::string filter;
};
struct PublishRequest {
  std::uint64_t attempt;
  std::uint64_t publish;
  PahoMessage message;
  int qos;
  std::chrono::seconds expiry;
  bool retain;
};
struct DisconnectRequest {};
struct AbandonRequest {};

struct Request {
  std::uint64_t attempt;
  std::variant<ConnectRequest, SubscribeRequest, DisconnectRequest, AbandonRequest> what;
};

}  // namespace

// What our thread, Paho's two, and the owner's meet in.
struct PahoClient::Shared {
  std::mutex mutex;
  std::condition_variable requested;  // our thread waits here
  std::condition_variable space;      // Paho's receiving thread waits here
  std::condition_variable finished;   // the destructor waits here

  // Under `mutex`.
  std::deque<Request> requests;
  std::deque<PublishRequest> publishes;  // not given to Paho yet; the link bounds them
  std::uint64_t attempt = 0;             // of the session that counts
  std::size_t in_flight = 0;             // publishes given to Paho and not done
  std::size_t window = 0;                // so many may be; none before CONNACK
  std::uint64_t completed = 0;
  std::vector<PahoEvent> events;
  std::deque<PahoMessage> messages;
  std::size_t message_bytes = 0;
  std::uint64_t dropped = 0;
  bool delivering = false;
  bool closing = false;
  bool done = false;  // our thread has left Paho for good
  bool woken = false;
  std::function<void()> wake;  // empty once the owner is gone

  // `wake` runs under the lock, so that none runs after the destructor has emptied it.
  void WakeLocked() {
    if (woken || !wake) return;
    woken = true;
    wake();
  }

  void Tell(PahoEvent event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
    WakeLocked();
  }

  void Ask(Request request) {
    {
      const std::lock_guard lock(mutex);
      requests.push_back(std::move(request));
    }
    requested.notify_one();
  }

  void TellPublished(std::uint64_t of_attempt, std::uint64_t publish, Expected<void> outcome) {
    {
      const std::lock_guard lock(mutex);
      if (of_attempt != attempt) return;  // the link has given up on it already
      if (in_flight > 0) --in_flight;
      ++completed;
      events.push_back({.kind = PahoEvent::Kind::kPublished,
                        .attempt = of_attempt,
                        .publish = publish,
                        .outcome = std::move(outcome)});
      WakeLocked();
    }
    requested.notify_one();
  }

  // On Paho's receiving thread.
  void Deliver(PahoMessage message) {
    std::unique_lock lock(mutex);
    space.wait(lock, [&] {
      return !delivering || closing ||
             (messages.size() < kMaxMessages && message_bytes < kMaxMessageBytes);
    });
    if (closing) return;
    if (messages.size() >= kMaxEarlyMessages || message_bytes >= 4 * kMaxMessageBytes) {
      ++dropped;
      return;
    }
    message_bytes += message.payload.size();
    messages.push_back(std::move(message));
    WakeLocked();
  }
};

namespace {

std::string ReasonText(int reason) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const char* name = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  std::string text = name != nullptr ? LowerAscii(name) : "reason code";
  return text + " (0x" + kDigits[(reason >> 4) & 15] + kDigits[reason & 15] + ")";
}

Errc ReasonErrc(int reason) {
  switch (reason) {
    case 0x93:  // Receive Maximum exceeded
    case 0x96:  // Message rate too high
    case 0x97:  // Quota exceeded
      return Errc::kFull;
    case 0x80:
    case 0x83:  // Unspecified error, Implementation specific error
    case 0x88:
    case 0x89:
    case 0x8B:  // Server unavailable, busy, shutting down
      return Errc::kUnavailable;
    default:
      return Errc::kDenied;
  }
}

Error ReasonError(int reason) { return Error(ReasonErrc(reason), ReasonText(reason)); }

// Reason codes of 0x80 and above are failures (MQTT 5.0 section 2.4).
constexpr bool IsFailure(int reason) { return reason >= 0x80 && reason <= 0xFF; }

// One attempt: a Paho client and its listeners. Made, used and destroyed on our thread; its methods
// that say so run on Paho's.
class Session {
 public:
  Session(std::shared_ptr<PahoClient::Shared> shared, std::uint64_t attempt, LinkOptions options)
      : shared_(std::move(shared)),
        attempt_(attempt),
        options_(std::move(options)),
        connect_listener_(*this),
        subscribe_listener_(*this),
        publish_listener_(*this),
        client_(Uri(options_), options_.client_id,
                mqtt::create_options(MQTTVERSION_5, Buffered(options_)), nullptr) {
    client_.set_connection_lost_handler([this](const std::string& cause) {
      OnLost(Error(Errc::kUnavailable, cause.empty() ? "closed" : cause));
    });
    // A connection that the relay ends with DISCONNECT is "disconnected", and never "lost".
    client_.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
      OnLost(IsFailure(reason) ? ReasonError(reason)
                               : Error(Errc::kUnavailable, "ended by the relay"));
    });
    client_.set_message_callback([this](mqtt::const_message_ptr message) {
      shared_->Deliver({message->get_topic(), message->to_string()});
    });
  }

  std::uint64_t attempt() const { return attempt_; }
  // Until CONNACK, or failure.
  bool connecting() const { return connecting_; }

  void Connect(const std::optional<LinkWill>& will) {
    mqtt::connect_options connect;
    connect.set_mqtt_version(MQTTVERSION_5);
    connect.set_clean_start(options_.clean_start);
    connect.set_keep_alive_interval(options_.keep_alive);
    connect.set_connect_timeout(options_.connect_timeout);
    connect.set_automatic_reconnect(false);
    mqtt::properties properties;
    properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL,
                    static_cast<std::int32_t>(options_.session_expiry.count())});
    properties.add({mqtt::property::MAXIMUM_PACKET_SIZE, kMaxPacketBytes});
    connect.set_properties(std::move(properties));
    if (will) {
      mqtt::will_options last(will->topic, will->payload.data(), will->payload.size(), 1, false);
      mqtt::properties will_properties;
      will_properties.add(
          {mqtt::property::WILL_DELAY_INTERVAL, static_cast<std::int32_t>(will->delay.count())});
      last.set_properties(std::move(will_properties));
      connect.set_will(std::move(last));
      will_ = will;
    }
    if (!options_.tls.ca_file.empty()) connect.set_ssl(TlsOptions());
    // Copied, not moved: after a move the options point at the properties of the old object.
    client_.connect(connect, nullptr, connect_listener_);
  }

  // One SUBSCRIBE a filter: the wrapper's function for several crashes on the option lists that
  // MQTT 5 needs (paho.mqtt.cpp 1.2.0).
  void Subscribe(const std::string& filter) {
    client_.subscribe(filter, 1, nullptr, subscribe_listener_);
  }

  void Publish(const PublishRequest& request) {
    auto message = mqtt::make_message(request.message.topic, request.message.payload.data(),
                                      request.message.payload.size(), request.qos, request.retain);
    if (request.expiry.count() > 0) {
      mqtt::properties properties;
      properties.add({mqtt::property::MESSAGE_EXPIRY_INTERVAL,
                      static_cast<std::int32_t>(request.expiry.count())});
      message->set_properties(std::move(properties));
    }
    client_.publish(std::move(message), ContextOf(request.publish), publish_listener_);
  }

  // A loss of which no callback told would leave the link waiting for ever.
  void Watch() {
    if (!client_.is_connected()) OnLost(Error(Errc::kUnavailable, "closed"));
  }

  const std::optional<LinkWill>& will() const { return will_; }

  // In order. Nothing may be in flight: Paho would look again after three seconds only.
  void Disconnect() {
    try {
      client_.disconnect()->wait_for(kDisconnectPatience);
    } catch (const mqtt::exception&) {
      // Not connected, or no longer: there is nothing to end in order.
    }
  }

 private:
  struct Listener : mqtt::iaction_listener {
    explicit Listener(Session& owner) : session(owner) {}
    Session& session;
  };
  struct ConnectListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token& token) override { session.OnConnected(token); }
    void on_failure(const mqtt::token& token) override { session.OnConnectFailed(token); }
  };
  struct SubscribeListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token&) override { session.Tell(PahoEvent::Kind::kSubscribed, {}); }
    void on_failure(const mqtt::token& token) override {
      const auto filters = token.get_topics();
      session.Tell(PahoEvent::Kind::kSubscribed,
                   session.FailureOf(token).During(
                       "subscribe to " + (filters && !filters->empty() ? (*filters)[0] : "?")));
    }
  };
  struct PublishListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token& token) override { session.OnPublished(token, {}); }
    void on_failure(const mqtt::token& token) override {
      session.OnPublished(token, session.FailureOf(token).During("publish"));
    }
  };

  static std::string Uri(const LinkOptions& options) {
    const std::string host = options.host.find(':') == std::string::npos ? DialHost(options.host)
                                                                         : "[" + options.host + "]";
    return (options.tls.ca_file.empty() ? "tcp://" : "ssl://") + host + ":" +
           std::to_string(options.port);
  }

  // Paho counts what it has not written yet; the bound that matters is the link's, which also
  // counts what is not acknowledged, so this one is never met.
  static int Buffered(const LinkOptions& options) {
    return static_cast<int>(options.max_unacknowledged) + 16;
  }

  static void* ContextOf(std::uint64_t publish) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(publish));
  }

  mqtt::ssl_options TlsOptions() const {
    mqtt::ssl_options tls;
    tls.set_trust_store(options_.tls.ca_file);
    if (!options_.tls.certificate_file.empty()) tls.set_key_store(options_.tls.certificate_file);
    if (!options_.tls.key_file.empty()) tls.set_private_key(options_.tls.key_file);
    tls.set_enabled_cipher_suites(kCiphers);
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);  // the name or address in the certificate is the one we called
    // No error handler: the wrapper would call it through a pointer to an options object that is
    // gone by then (paho.mqtt.cpp 1.2.0).
    return tls;
  }

  void Tell(PahoEvent::Kind kind, Expected<void> outcome) {
    shared_->Tell({.kind = kind, .attempt = attempt_, .outcome = std::move(outcome)});
  }

  // On Paho's threads, which hold its lock: so each of these only notes and returns.
  void OnConnected(const mqtt::token& token) {
    PahoEvent event{.kind = PahoEvent::Kind::kConnected, .attempt = attempt_};
    const mqtt::connect_response response = token.get_connect_response();
    event.session_present = response.is_session_present();
    std::size_t window = kLargestWindow;
    if (response.get_properties().contains(mqtt::property::RECEIVE_MAXIMUM)) {
      window = std::min<std::size_t>(
          window,
          mqtt::get<std::uint16_t>(response.get_properties(), mqtt::property::RECEIVE_MAXIMUM));
    }
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->attempt == attempt_) shared_->window = window;
    }
    connecting_ = false;
    shared_->Tell(std::move(event));
  }
  void OnConnectFailed(const mqtt::token& token) {
    connecting_ = false;
    Tell(PahoEvent::Kind::kConnectFailed, FailureOf(token).During("connect"));
  }
  void OnPublished(const mqtt::token& token, Expected<void> outcome) {
    shared_->TellPublished(attempt_, reinterpret_cast<std::uintptr_t>(token.get_user_context()),
                           std::move(outcome));
  }
  void OnLost(Error reason) {
    {
      // The link gives up on what was in flight; nobody needs to look for it any more.
      const std::lock_guard lock(shared_->mutex);
      if (shared_->attempt == attempt_) shared_->in_flight = shared_->window = 0;
    }
    Tell(PahoEvent::Kind::kLost, std::move(reason).During("connection lost"));
  }

  // A reason code of the relay's where there is one, else what Paho calls it.
  Error FailureOf(const mqtt::token& token) const {
    const int reason = static_cast<int>(token.get_reason_code());
    if (IsFailure(reason)) return ReasonError(reason);
    if (IsFailure(token.get_return_code())) return ReasonError(token.get_return_code());
    std::string text;
    try {
      if (token.get_type() == mqtt::token::Type::CONNECT) token.get_connect_response();
    } catch (const mqtt::exception& e) {
      text = e.get_message();  // the token shows it in no other way
    }
    if (text.empty()) {
      const char* name = MQTTAsync_strerror(token.get_return_code());
      text = name != nullptr ? name : "error " + std::to_string(token.get_return_code());
    }
    return Error(Errc::kUnavailable, text);
  }

  const std::shared_ptr<PahoClient::Shared> shared_;
  const std::uint64_t attempt_;
  const LinkOptions options_;
  std::optional<LinkWill> will_;  // only on our thread
  std::atomic<bool> connecting_{true};
  ConnectListener connect_listener_;
  SubscribeListener subscribe_listener_;
  PublishListener publish_listener_;
  // Last, so first to go: its destructor takes Paho's lock, after which no callback runs any more.
  mqtt::async_client client_;
};

// Our thread: the only one that calls Paho.
class Driver {
 public:
  explicit Driver(std::shared_ptr<PahoClient::Shared> shared) : shared_(std::move(shared)) {}

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
      session_->Connect(request.will);
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

  const std::shared_ptr<PahoClient::Shared> shared_;
  std::unique_ptr<Session> session_;
  std::chrono::milliseconds nudge_after_ = kFirstNudge;
  std::uint64_t completed_seen_ = 0;
};

}  // namespace

PahoClient::PahoClient(std::function<void()> wake) : shared_(std::make_shared<Shared>()) {
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

void PahoClient::Connect(std::uint64_t attempt, LinkOptions options, std::optional<LinkWill> will) {
  shared_->Ask({attempt, ConnectRequest{std::move(options), std::move(will)}});
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
