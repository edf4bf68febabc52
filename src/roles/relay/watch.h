// How a running relay is watched: its control socket, which `mig relay status` asks, and the HTTP
// server that gives its metrics to Prometheus. ($SYS topics are the broker's matter.)
#pragma once

#include <memory>
#include <string>

#include "net/http_server.h"
#include "net/local_control.h"
#include "net/mqtt_server.h"
#include "roles/relay/status_report.h"
#include "util/expected.h"

namespace mig::relay {

class Watch {
 public:
  // `io` and `server` outlive it.
  Watch(boost::asio::io_context& io, const MqttServer& server, RelayFacts facts);

  // Answers `mig relay status`. That it cannot is no reason not to relay: then the log says so.
  void OpenControl();

  // Serves GET /metrics at `listen`: plain on a loopback address, elsewhere with the relay's own
  // certificate. Errors as HttpServer::Start; kDenied for an open relay off loopback.
  Expected<void> ServeMetrics(const std::string& listen);

  // New connections to the metrics use what the files hold now.
  Expected<void> ReloadCertificate();

 private:
  const MqttServer& server_;
  boost::asio::io_context& io_;
  RelayFacts facts_;
  std::unique_ptr<LocalControl> control_;
  std::unique_ptr<HttpServer> metrics_;
  bool metrics_with_tls_ = false;
};

}  // namespace mig::relay
