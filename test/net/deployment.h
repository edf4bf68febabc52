// Two CAs, a relay's files, and whoever a test wants, for relays over TLS.
#pragma once

#include <chrono>
#include <fstream>
#include <string>

#include "crypto/certificate.h"
#include "mqtt_client.h"
#include "net/mqtt_server.h"
#include "roles/relay/topic_rights.h"
#include "test/temp_folder.h"
#include "util/clock.h"

namespace mig {

class Deployment {
 public:
  Deployment() {
    agents_ca = MakeCa("agents", Now(), std::chrono::hours(24) * 365).value();
    servers_ca = MakeCa("servers", Now(), std::chrono::hours(24) * 365).value();
    Write("agents-ca.crt", agents_ca.certificate);
    Write("servers-ca.crt", servers_ca.certificate);
    IssueRelay("relay1");
  }

  void IssueRelay(const std::string& name) {
    LeafRequest request{{"relay", name}, {"127.0.0.1"}, true};
    const auto pair = IssueLeaf(servers_ca, request, Now()).value();
    Write("relay.crt", pair.certificate);
    Write("relay.key", pair.key);
  }

  MqttClient::Tls Issue(const KeyPairPem& ca, const std::string& role, const std::string& id,
                        UtcTime now = Now()) {
    const auto pair = IssueLeaf(ca, LeafRequest{{role, id}}, now);
    if (!pair) FAIL(pair.error().message());
    const std::string name = role + "-" + id + std::to_string(++issued_);
    Write(name + ".crt", pair->certificate);
    Write(name + ".key", pair->key);
    return {File("servers-ca.crt"), File(name + ".crt"), File(name + ".key")};
  }
  MqttClient::Tls Nobody() const { return {File("servers-ca.crt"), "", ""}; }

  MqttServerOptions Options() const {
    MqttServerOptions options;
    options.tls = TlsServerFiles{File("relay.crt"), File("relay.key"), File("agents-ca.crt"),
                                 File("servers-ca.crt")};
    return options;
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
  }
  std::string File(const std::string& name) const { return (folder / name).string(); }

  TempFolder folder;
  KeyPairPem agents_ca, servers_ca;
  const relay::TopicRights rights;

 private:
  int issued_ = 0;
};

}  // namespace mig
