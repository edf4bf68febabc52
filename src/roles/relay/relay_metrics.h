// A relay's figures as Prometheus reads them: the answer to GET /metrics. Names of metrics are
// relied on by other people's dashboards: add, do not rename. No client, topic or address is named.
#pragma once

#include <string>

#include "net/mqtt_server.h"

namespace mig::relay {

std::string WriteMetrics(const MqttServerFigures& figures, const MqttServerOptions& options);

}  // namespace mig::relay
