#include "net/relay_address.h"

namespace mig {

std::vector<RelayAddress> ReadRelays(Settings& settings) {
  std::vector<RelayAddress> relays;
  for (Settings& entry : settings.Sections("relays")) {
    RelayAddress relay;
    relay.host = entry.RequiredString("host");
    relay.port = static_cast<std::uint16_t>(entry.Integer("port", relay.port, 1, 65535));
    const std::string transport = entry.String("transport", "tls");
    if (transport != "tls" && transport != "websocket") {
      entry.Fail("transport", "expected tls or websocket");
    }
    relay.websocket = transport == "websocket";
    relays.push_back(std::move(relay));
  }
  if (relays.empty()) settings.Fail("relays", "name at least one relay: - {host: …, port: 8883}");
  return relays;
}

std::chrono::milliseconds ReadReconnectLongest(Settings& settings,
                                               std::chrono::milliseconds otherwise) {
  const auto longest = settings.Duration("reconnect_longest", otherwise);
  if (longest < std::chrono::milliseconds(100)) {
    settings.Fail("reconnect_longest", "expected at least 100ms");
  }
  return longest;
}

}  // namespace mig
