#include "roles/relay/watch.h"

#include "net/host.h"
#include "net/metrics_text.h"
#include "roles/relay/relay_metrics.h"
#include "roles/relay/verbs.h"
#include "util/log.h"

namespace mig::relay {
namespace {

constexpr std::size_t kMaxScrapers = 32;

}  // namespace

Watch::Watch(boost::asio::io_context& io, const MqttServer& server, RelayFacts facts)
    : server_(server), io_(io), facts_(std::move(facts)) {}

void Watch::OpenControl() {
  auto control =
      LocalControl::Start(io_, ControlSocket(facts_.store), [this](std::string_view question) {
        if (question != kStatusQuestion) return json::Write(json::object{{"error", "unknown"}});
        return json::Write(StatusReport(facts_, server_.Figures(),
                                        server_.LargestQueues(kQueuesInStatus), server_.options()));
      });
  if (!control) {
    log::Warning("`mig relay status` will not work", {{"error", control.error().message()}});
    return;
  }
  control_ = std::move(*control);
}

Expected<void> Watch::ServeMetrics(const std::string& listen) {
  auto place = ParseHostPort(listen);
  if (!place) return std::move(place).error().During("metrics.listen");
  HttpServerOptions options;
  options.listen = listen;
  options.max_connections = kMaxScrapers;
  if (!IsLoopback(place->host)) {
    if (!server_.options().tls) {
      return Error(
          Errc::kDenied,
          "metrics.listen: an open relay has no certificate, so its metrics can only be at "
          "a loopback address, not at " +
              listen);
    }
    options.certificate_file = server_.options().tls->certificate;
    options.key_file = server_.options().tls->key;
    metrics_with_tls_ = true;
  }
  std::vector<HttpRoute> routes;
  routes.push_back({"GET", "/metrics", 0,
                    [this](const HttpRequest&, const std::shared_ptr<HttpExchange>& exchange) {
                      exchange->Reply({200,
                                       {{"Content-Type", std::string(MetricsText::kContentType)}},
                                       WriteMetrics(server_.Figures(), server_.options())});
                    }});
  auto started = HttpServer::Start(io_, std::move(options), std::move(routes));
  if (!started) return std::move(started).error().During("metrics.listen");
  metrics_ = std::move(*started);
  facts_.metrics_port = metrics_->port();
  log::Info("metrics", {{"port", std::to_string(metrics_->port())}});
  return {};
}

Expected<void> Watch::ReloadCertificate() {
  if (!metrics_ || !metrics_with_tls_) return {};
  return metrics_->ReloadCertificate();
}

}  // namespace mig::relay
