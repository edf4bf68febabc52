#include "roles/api/relay_lines.h"

#include "proto/topics.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::chrono::seconds kWakeExpiry{60};

}  // namespace

RelayLines::RelayLines(boost::asio::io_context& io, const ApiConfig& config, Handlers handlers)
    : handlers_(std::move(handlers)) {
  for (const RelayAddress& relay : config.relays) {
    LinkOptions options;
    options.host = relay.host;
    options.port = relay.port;
    options.websocket = relay.websocket;
    options.proxy = config.proxy;
    options.tls = {config.tls.ca.string(), config.tls.certificate.string(),
                   config.tls.key.string()};
    options.client_id = config.name;
    options.backoff_longest = config.reconnect_longest;
    // Announcements are worth nothing to a process that was not there: it reads the store.
    options.clean_start = true;
    options.session_expiry = std::chrono::seconds(0);
    LinkHandlers link_handlers;
    link_handlers.connected = [this, index = links_.size(), where = relay.Text()](bool) {
      log::Info("connected to relay", {{"relay", where}});
      // For actions that came while this line was down but the scheduler's was not.
      Wake(*links_[index], "");
      handlers_.line_restored();
      handlers_.documents_changed();
    };
    link_handlers.message = [this](std::string_view topic, BytesView payload) {
      if (topic == topics::kSchedulerEvent) return handlers_.line_restored();
      if (topic == topics::kPolicyEvent) return handlers_.documents_changed();
      if (topic != topics::kActionEvent) return;
      auto action = ActionId::Parse(payload);
      if (action) {
        handlers_.action_changed(*action);
      } else {
        log::Warning("an announcement without an action's id", {{"topic", std::string(topic)}});
      }
    };
    link_handlers.lost = [where = relay.Text()](const Error& reason) {
      log::Warning("lost the relay", {{"relay", where}, {"error", reason.message()}});
    };
    links_.push_back(std::make_unique<MqttLink>(io, options, std::move(link_handlers)));
    links_.back()->Subscribe({std::string(topics::kEventFilter)});
  }
}

RelayLines::~RelayLines() = default;

void RelayLines::Start() {
  for (const auto& link : links_) link->Start();
}

void RelayLines::WakeScheduler(const ActionId& action) {
  // By each, because the scheduler may have lost the first; waking it twice does no harm.
  bool sent = false;
  for (const auto& link : links_) {
    if (!link->connected()) continue;
    Wake(*link, action.Text());
    sent = true;
  }
  if (sent) return;
  log::Warning("no relay is up; the scheduler will find the action when one is",
               {{"action", action.Text()}});
}

void RelayLines::TellOfDocuments() {
  for (const auto& link : links_) {
    if (link->connected()) Wake(*link, Bytes(topics::kWakeForPolicy));
  }
}

void RelayLines::Wake(MqttLink& link, Bytes why) {
  CrashPoint("api.wake.before_send");
  link.Publish(std::string(topics::kWakeScheduler), std::move(why), 1, kWakeExpiry, false,
               [](Expected<void> sent) {
                 if (!sent) {
                   log::Warning("the scheduler was not woken", {{"error", sent.error().message()}});
                 }
               });
  CrashPoint("api.wake.after_send");
}

void RelayLines::Stop(std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(links_.size());
  for (const auto& link : links_) {
    link->Stop([left, done] {
      if (--*left == 0) done();
    });
  }
}

}  // namespace mig::api
