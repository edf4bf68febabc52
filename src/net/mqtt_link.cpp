#include "net/mqtt_link.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cassert>
#include <random>
#include <unordered_map>

#include "net/host.h"
#include "net/paho_client.h"
#include "net/proxy_tunnel.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Messages handled in one turn, so that a flood leaves the rest of the role its share.
constexpr int kMessagesATurn = 64;
constexpr milliseconds kStopPatience{1900};  // Stop promises two seconds

// The longest wait after so many failures in a row.
milliseconds BackoffCeiling(const LinkOptions& options, unsigned failures) {
  milliseconds ceiling = options.backoff_first;
  for (unsigned i = 1; i < failures && ceiling < options.backoff_longest; ++i) ceiling *= 2;
  return std::min(ceiling, options.backoff_longest);
}

}  // namespace

// All on the owner's thread.
struct MqttLink::Impl : std::enable_shared_from_this<MqttLink::Impl> {
  enum class State {
    kIdle,         // before Start
    kWaiting,      // between attempts; the timer ends it
    kConnecting,   // until CONNACK; the timer is the deadline of the attempt
    kSubscribing,  // until SUBACK; the same deadline
    kUp,
    kStopping,  // until DISCONNECT is written; the timer is the deadline
    kStopped,
  };

  Impl(asio::io_context& context, LinkOptions link_options, LinkHandlers link_handlers)
      : io(context),
        options(std::move(link_options)),
        handlers(std::move(link_handlers)),
        peer("relay " + FormatHostPort(options.host, options.port)),
        timer(context),
        random(std::random_device()()) {}

  void Begin();
  void Attempt();
  void ThroughProxy(const ProxyAddress& proxy);
  std::optional<LinkWill> Will() const;
  void SubscribeRest();
  void Up();
  void Fail(Error reason);
  void WaitForNextAttempt();

  void Drain();
  void Handle(PahoEvent& event);
  void HandleMessages();

  void Stop(std::function<void()> done);
  void Finish();
  void FailPending(const Error& reason);
  // Runs `on_time` on the owner's thread unless the timer is set anew or the link goes.
  void SetTimer(milliseconds delay, void (Impl::*on_time)());
  void OnDeadline();
  // Never from inside Publish: the caller's state is not ready for it there.
  void Later(Done done, Error error);

  asio::io_context& io;
  const LinkOptions options;
  const LinkHandlers handlers;
  const std::string peer;
  std::function<LinkWill()> make_will;
  std::vector<std::string> filters;
  std::size_t filters_asked = 0;     // of `filters`, on this connection
  std::size_t filters_in_place = 0;  // of those asked for

  State state = State::kIdle;
  bool closed = false;                  // the link is gone: nothing is called any more
  std::unique_ptr<ProxyTunnel> tunnel;  // of this attempt, if it goes through a proxy
  std::unique_ptr<PahoClient> client;
  asio::steady_timer timer;
  std::minstd_rand random;

  std::uint64_t attempt = 0;
  bool session_present = false;
  unsigned failures = 0;  // in a row; decides how long the next wait may be
  steady_clock::time_point up_since;
  std::string told;  // the last reason in the log, which says each one once

  std::uint64_t last_publish = 0;
  std::unordered_map<std::uint64_t, Done> pending;
  std::function<void()> stop_done;
};

void MqttLink::Impl::Begin() {
  assert(state == State::kIdle && "a link is started once");
  client = std::make_unique<PahoClient>([weak = weak_from_this(), &context = io] {
    asio::post(context, [weak] {
      if (const auto self = weak.lock()) self->Drain();
    });
  });
  Attempt();
}

void MqttLink::Impl::SetTimer(milliseconds delay, void (Impl::*on_time)()) {
  timer.expires_after(delay);
  timer.async_wait([weak = weak_from_this(), on_time](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self && !self->closed) ((*self).*on_time)();
  });
}

void MqttLink::Impl::Attempt() {
  if (state != State::kIdle && state != State::kWaiting) return;
  state = State::kConnecting;
  filters_asked = filters_in_place = 0;
  ++attempt;
  SetTimer(options.connect_timeout, &Impl::OnDeadline);
  const ProxyAddress* const proxy = options.proxy.For(options.host, options.port);
  if (proxy != nullptr) return ThroughProxy(*proxy);
  client->Connect(attempt, options, Will(), "");
}

std::optional<LinkWill> MqttLink::Impl::Will() const {
  return make_will ? std::optional<LinkWill>(make_will()) : std::nullopt;
}

void MqttLink::Impl::ThroughProxy(const ProxyAddress& proxy) {
  // What the proxy says must come before the deadline of the attempt, and leave time for the rest.
  const milliseconds patience = milliseconds(options.connect_timeout) * 4 / 5;
  tunnel = std::make_unique<ProxyTunnel>(
      io, HostPort{options.host, options.port}, proxy, patience,
      [weak = weak_from_this(), of = attempt](Expected<std::string> local_proxy) {
        const auto self = weak.lock();
        if (!self || self->closed || self->attempt != of || self->state != State::kConnecting) {
          return;
        }
        if (!local_proxy) return self->Fail(std::move(local_proxy).error());
        self->client->Connect(of, self->options, self->Will(), std::move(*local_proxy));
      });
}

void MqttLink::Impl::OnDeadline() {
  if (state != State::kConnecting && state != State::kSubscribing) return;
  client->Abandon(attempt);
  Fail(Error(Errc::kTimeout, state == State::kConnecting ? "no answer to connect in time"
                                                         : "no answer to subscribe in time"));
}

void MqttLink::Impl::SubscribeRest() {
  for (; filters_asked < filters.size(); ++filters_asked) {
    client->Subscribe(attempt, filters[filters_asked]);
  }
}

void MqttLink::Impl::Up() {
  state = State::kUp;
  timer.cancel();
  up_since = steady_clock::now();
  told.clear();
  client->Delivering(true);
  if (const auto dropped = client->TakeDropped(); dropped > 0) {
    log::Warning("messages came faster than the connection was ready; the newest were dropped",
                 {{"relay", peer}, {"dropped", std::to_string(dropped)}});
  }
  if (handlers.connected) handlers.connected(session_present);
}

void MqttLink::Impl::Fail(Error reason) {
  reason = std::move(reason).During(peer);
  const bool was_up = state == State::kUp;
  state = State::kWaiting;
  client->Delivering(false);
  // A connection that held longer than the last wait shows that the relay is well; one that falls
  // at once is not called again at once, or a relay that sheds load would get more of it.
  if (was_up && steady_clock::now() - up_since > BackoffCeiling(options, failures)) failures = 0;
  ++failures;
  if (reason.message() != told) {
    told = reason.message();
    log::Warning(told, {{"next", "trying again until it works"}});
  } else {
    log::Debug(told, {{"failures", std::to_string(failures)}});
  }
  WaitForNextAttempt();
  FailPending(Error(Errc::kUnavailable, reason.message()));
  const auto& tell = was_up ? handlers.lost : handlers.failed;
  if (!closed && tell) tell(reason);
}

void MqttLink::Impl::WaitForNextAttempt() {
  const auto ceiling = BackoffCeiling(options, failures);
  std::uniform_int_distribution<milliseconds::rep> jitter(0, ceiling.count());
  SetTimer(milliseconds(jitter(random)), &Impl::Attempt);
}

void MqttLink::Impl::Drain() {
  if (closed) return;
  const auto self = shared_from_this();  // a handler may destroy the link
  for (PahoEvent& event : client->TakeEvents()) {
    Handle(event);
    if (closed) return;
  }
  HandleMessages();
}

void MqttLink::Impl::Handle(PahoEvent& event) {
  using Kind = PahoEvent::Kind;
  if (event.attempt != attempt) return;
  switch (event.kind) {
    case Kind::kConnected:
      if (state != State::kConnecting) return;
      session_present = event.session_present;
      state = State::kSubscribing;
      // Also when the session was there: its filters may be those of an older version of us.
      return filters.empty() ? Up() : SubscribeRest();
    case Kind::kConnectFailed:
      if (state == State::kConnecting) Fail(std::move(event.outcome).error());
      return;
    case Kind::kSubscribed:
      if (state != State::kSubscribing && state != State::kUp) return;
      if (!event.outcome) {  // a link without its subscriptions is of no use
        client->Abandon(attempt);
        return Fail(std::move(event.outcome).error());
      }
      ++filters_in_place;
      if (state == State::kSubscribing && filters_in_place == filters.size()) Up();
      return;
    case Kind::kPublished: {
      const auto found = pending.find(event.publish);
      if (found == pending.end()) return;
      const Done done = std::move(found->second);
      pending.erase(found);
      if (done) done(std::move(event.outcome));
      return;
    }
    case Kind::kLost:
      if (state == State::kSubscribing || state == State::kUp) Fail(event.outcome.error());
      return;
    case Kind::kDisconnected:
      if (state == State::kStopping) Finish();
      return;
  }
}

void MqttLink::Impl::HandleMessages() {
  for (int i = 0; i < kMessagesATurn && state == State::kUp; ++i) {
    const auto message = client->TakeMessage();
    if (!message) return;
    if (handlers.message) handlers.message(message->topic, message->payload);
    if (closed) return;
  }
  if (state == State::kUp) {
    asio::post(io, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Drain();
    });
  }
}

void MqttLink::Impl::FailPending(const Error& reason) {
  for (auto& [id, done] : std::exchange(pending, {})) {
    if (done) done(reason);
    if (closed) return;
  }
}

void MqttLink::Impl::Later(Done done, Error error) {
  if (!done) return;
  asio::post(io, [weak = weak_from_this(), done = std::move(done), error = std::move(error)] {
    const auto self = weak.lock();
    if (self && !self->closed) done(error);
  });
}

void MqttLink::Impl::Stop(std::function<void()> done) {
  const State before = state;
  stop_done = std::move(done);
  state = State::kStopping;
  SetTimer(kStopPatience, &Impl::Finish);
  if (before == State::kIdle || before == State::kStopped) {
    asio::post(io, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && !self->closed) self->Finish();
    });
    return;
  }
  client->Delivering(false);
  client->Disconnect(attempt);
}

void MqttLink::Impl::Finish() {
  if (state != State::kStopping) return;
  state = State::kStopped;
  timer.cancel();
  FailPending(Error(Errc::kUnavailable, peer + ": the link was stopped"));
  if (closed) return;
  if (const auto done = std::exchange(stop_done, nullptr)) done();
}

MqttLink::MqttLink(asio::io_context& io, LinkOptions options, LinkHandlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(handlers))) {}

MqttLink::~MqttLink() {
  impl_->closed = true;
  impl_->timer.cancel();
  impl_->client.reset();
  if (impl_->tunnel) impl_->tunnel->Drain();  // the last words are on their way
  impl_->tunnel.reset();
}

void MqttLink::SetWill(std::function<LinkWill()> make_will) {
  impl_->make_will = std::move(make_will);
}

void MqttLink::Subscribe(std::vector<std::string> filters) {
  for (std::string& filter : filters) impl_->filters.push_back(std::move(filter));
  if (impl_->state == Impl::State::kSubscribing || impl_->state == Impl::State::kUp) {
    impl_->SubscribeRest();
  }
}

void MqttLink::Start() { impl_->Begin(); }

bool MqttLink::connected() const { return impl_->state == Impl::State::kUp; }

void MqttLink::Publish(std::string topic, Bytes payload, int qos, std::chrono::seconds expiry,
                       bool retain, Done done) {
  Impl& impl = *impl_;
  assert((qos == 0 || qos == 1) && "QoS 2 is not in the portable subset");
  if (impl.state != Impl::State::kUp) {
    return impl.Later(std::move(done), Error(Errc::kUnavailable, impl.peer + ": not connected"));
  }
  if (impl.pending.size() >= impl.options.max_unacknowledged) {
    return impl.Later(std::move(done),
                      Error(Errc::kFull, impl.peer + ": " + std::to_string(impl.pending.size()) +
                                             " publishes are not acknowledged yet"));
  }
  const std::uint64_t id = ++impl.last_publish;
  impl.pending.emplace(id, std::move(done));
  impl.client->Publish(impl.attempt, id, {std::move(topic), std::move(payload)}, qos, expiry,
                       retain);
}

void MqttLink::Stop(std::function<void()> done) { impl_->Stop(std::move(done)); }

}  // namespace mig
