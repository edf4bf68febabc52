// Our own relay over TLS on the test's io_context, and the way there for a link.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "net/mqtt_link.h"
#include "net/mqtt_server.h"
#include "store/relay_db.h"
#include "test/net/certificates.h"
#include "test/temp_folder.h"

namespace mig {

class MostAllowed final : public mqtt::Authoriser {
 public:
  bool MayConnect(const mqtt::Peer& peer, std::string_view client_id) const override {
    return peer.id == client_id;
  }
  bool MayPublish(const mqtt::Peer&, std::string_view topic, bool) const override {
    return !topic.starts_with("forbidden");
  }
  bool MaySubscribe(const mqtt::Peer&, std::string_view filter) const override {
    return !filter.starts_with("forbidden");
  }
};

// A relay with a certificate of `who`, for clients of both CAs.
struct Relay {
  Relay(boost::asio::io_context& io, const Certificates& certificates,
        const std::string& who = "server") {
    auto db = store::RelayDb::Open({.file = folder / "relay.db"}).value();
    MqttServerOptions options;
    options.listen = "127.0.0.1:0";
    options.tls = {certificates.File(who + ".crt"), certificates.File(who + ".key"),
                   certificates.File("agents-ca.crt"), certificates.File("servers-ca.crt")};
    mqtt::Snapshot snapshot = db->TakeSnapshot();
    server = MqttServer::Start(io, std::move(options), std::move(db), std::move(snapshot), rights)
                 .value();
  }

  TempFolder folder;
  MostAllowed rights;
  std::unique_ptr<MqttServer> server;
};

inline LinkOptions Towards(const Relay& relay, const Certificates& certificates,
                           const std::string& who = "client") {
  LinkOptions options;
  options.port = relay.server->port();
  options.client_id = "scheduler-1";
  options.tls.ca_file = certificates.File("servers-ca.crt");
  if (!who.empty()) {
    options.tls.certificate_file = certificates.File(who + ".crt");
    options.tls.key_file = certificates.File(who + ".key");
  }
  return options;
}

}  // namespace mig
