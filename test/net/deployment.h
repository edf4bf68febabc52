// Files of a deployment around a relay: two CAs, the relay's certificate, whatever certificates a
// test wants, and lists of those that were revoked.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "mqtt_client.h"
#include "net/mqtt_server.h"
#include "os/files.h"
#include "roles/relay/topic_rights.h"
#include "test/revocations.h"
#include "test/temp_folder.h"

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
                        UtcTime now = Now(), std::chrono::seconds validity = kValidity) {
    LeafRequest request{{role, id}};
    request.validity = validity;
    const auto pair = IssueLeaf(ca, request, now);
    if (!pair) FAIL(pair.error().message());
    const std::string name = role + "-" + id + std::to_string(++issued_);
    Write(name + ".crt", pair->certificate);
    Write(name + ".key", pair->key);
    return {File("servers-ca.crt"), File(name + ".crt"), File(name + ".key"), 0, nullptr};
  }
  MqttClient::Tls Nobody() const { return {File("servers-ca.crt"), "", "", 0, nullptr}; }

  MqttServerOptions Options() const {
    MqttServerOptions options;
    options.tls = TlsServerFiles{
        File("relay.crt"), File("relay.key"), File("agents-ca.crt"), File("servers-ca.crt"), {}};
    return options;
  }
  // With lists of what is revoked; Revoke() first.
  MqttServerOptions RevokingOptions() const {
    MqttServerOptions options = Options();
    options.tls->revocations = {File("agents.crl"), File("servers.crl")};
    return options;
  }
  // Writes the lists as they would be after these were revoked.
  void Revoke(const std::vector<MqttClient::Tls>& revoked, UtcTime made = Now(),
              std::chrono::seconds validity = std::chrono::hours(24)) {
    RevocationRequest request{{}, made, validity};
    for (const MqttClient::Tls& each : revoked) {
      request.revoked.push_back(os::ReadFile(each.certificate_file).value());
    }
    Write("agents.crl", MakeRevocationList(agents_ca, request));
    Write("servers.crl", MakeRevocationList(servers_ca, request));
  }

  void Write(const std::string& name, const std::string& text) {
    REQUIRE(os::WriteFileAtomically(folder / name, text, 0600));
  }
  std::string File(const std::string& name) const { return (folder / name).string(); }

  TempFolder folder;
  KeyPairPem agents_ca, servers_ca;
  const relay::TopicRights rights;

 private:
  static constexpr std::chrono::seconds kValidity = std::chrono::hours(24 * 90);
  int issued_ = 0;
};

}  // namespace mig
