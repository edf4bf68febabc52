#include "net/paho_session.h"

#include <utility>

#include "net/host.h"
#include "util/text.h"

namespace mig::paho {
namespace {

// A packet above this is refused by the relay: more than any message of ours, whose envelopes stay
// below 256 KiB.
constexpr std::int32_t kMaxPacketBytes = 1 << 20;
// The relay's Receive Maximum is kept here, below Paho: past it Paho would look for
// acknowledgements only once a second.
constexpr std::size_t kLargestWindow = 1024;
// How long Paho may take to disconnect.
constexpr std::chrono::milliseconds kDisconnectPatience{500};
// Forward secrecy and authenticated encryption only, which also leaves TLS 1.2 and 1.3 only.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

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

std::string Uri(const LinkOptions& options) {
  const std::string host = options.host.find(':') == std::string::npos ? DialHost(options.host)
                                                                       : "[" + options.host + "]";
  const std::string address = host + ":" + std::to_string(options.port);
  if (options.websocket)
    return (options.tls.ca_file.empty() ? "ws://" : "wss://") + address + "/mqtt";
  return (options.tls.ca_file.empty() ? "tcp://" : "ssl://") + address;
}

// Paho counts what it has not written yet; the bound that matters is the link's, which also counts
// what is not acknowledged, so this one is never met.
int Buffered(const LinkOptions& options) {
  return static_cast<int>(options.max_unacknowledged) + 16;
}

void* ContextOf(std::uint64_t publish) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(publish));
}

}  // namespace

Session::Session(std::shared_ptr<Exchange> exchange, std::uint64_t attempt, LinkOptions options)
    : exchange_(std::move(exchange)),
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
    exchange_->Deliver({message->get_topic(), message->to_string()});
  });
}

void Session::Connect(const std::optional<LinkWill>& will, const std::string& proxy) {
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
  if (!proxy.empty()) {
    connect.set_http_proxy(proxy);   // without TLS
    connect.set_https_proxy(proxy);  // with TLS
  }
  // Copied, not moved: after a move the options point at the properties of the old object.
  client_.connect(connect, nullptr, connect_listener_);
}

// One SUBSCRIBE a filter: the wrapper's function for several crashes on the option lists that MQTT
// 5 needs (paho.mqtt.cpp 1.2.0).
void Session::Subscribe(const std::string& filter) {
  client_.subscribe(filter, 1, nullptr, subscribe_listener_);
}

void Session::Publish(const PublishRequest& request) {
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

void Session::Watch() {
  if (!client_.is_connected()) OnLost(Error(Errc::kUnavailable, "closed"));
}

void Session::Disconnect() {
  try {
    client_.disconnect()->wait_for(kDisconnectPatience);
  } catch (const mqtt::exception&) {
    // Not connected, or no longer: there is nothing to end in order.
  }
}

mqtt::ssl_options Session::TlsOptions() const {
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

Error Session::FailureOf(const mqtt::token& token) {
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

void Session::OnConnected(const mqtt::token& token) {
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
    const std::lock_guard lock(exchange_->mutex);
    if (exchange_->attempt == attempt_) exchange_->window = window;
  }
  connecting_ = false;
  exchange_->Tell(std::move(event));
}

void Session::OnConnectFailed(const mqtt::token& token) {
  connecting_ = false;
  Tell(PahoEvent::Kind::kConnectFailed, FailureOf(token).During("connect"));
}

void Session::OnSubscribeFailed(const mqtt::token& token) {
  const auto filters = token.get_topics();
  Tell(PahoEvent::Kind::kSubscribed,
       FailureOf(token).During("subscribe to " +
                               (filters && !filters->empty() ? (*filters)[0] : "?")));
}

void Session::OnPublished(const mqtt::token& token, Expected<void> outcome) {
  exchange_->TellPublished(attempt_, reinterpret_cast<std::uintptr_t>(token.get_user_context()),
                           std::move(outcome));
}

void Session::OnLost(Error reason) {
  {
    // The link gives up on what was in flight; nobody needs to look for it any more.
    const std::lock_guard lock(exchange_->mutex);
    if (exchange_->attempt == attempt_) exchange_->in_flight = exchange_->window = 0;
  }
  Tell(PahoEvent::Kind::kLost, std::move(reason).During("connection lost"));
}

void Session::Tell(PahoEvent::Kind kind, Expected<void> outcome) {
  exchange_->Tell({.kind = kind, .attempt = attempt_, .outcome = std::move(outcome)});
}

}  // namespace mig::paho
