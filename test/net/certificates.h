// The files of a servers' CA and of an agents' CA, of a server's certificate for localhost and
// 127.0.0.1, and of some that must not be believed.
#pragma once

#include <fstream>
#include <string>

#include "crypto/certificate.h"
#include "test/temp_folder.h"
#include "util/clock.h"

namespace mig {

class Certificates {
 public:
  Certificates() : now_(Now()) {
    servers_ = MakeCa("test servers", now_, std::chrono::hours(24)).value();
    agents_ = MakeCa("test agents", now_, std::chrono::hours(24)).value();
    const auto strangers = MakeCa("strangers", now_, std::chrono::hours(24)).value();
    Put("servers-ca.crt", servers_.certificate);
    Put("agents-ca.crt", agents_.certificate);
    Put("strangers-ca.crt", strangers.certificate);
    pin = SpkiPin(servers_.certificate).value();
    strangers_pin = SpkiPin(strangers.certificate).value();
    Issue("server", servers_, {"api", "api-1"}, true, {"localhost", "127.0.0.1"});
    Issue("elsewhere", servers_, {"api", "api-1"}, true, {"elsewhere.example.org"});
    Issue("client", servers_, {"scheduler", "scheduler-1"}, false, {"localhost", "127.0.0.1"});
    Issue("stranger", strangers, {"scheduler", "scheduler-1"}, false, {});
  }

  // "NAME.crt" (with the CA behind) and "NAME.key".
  void IssueAgent(const std::string& name, const std::string& id) {
    Issue(name, agents_, {"agent", id}, false, {});
  }
  void IssueServer(const std::string& name, const PeerName& peer) {
    Issue(name, servers_, peer, false, {});
  }
  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  Bytes pin, strangers_pin;

 private:
  void Put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  void Issue(const std::string& name, const KeyPairPem& ca, const PeerName& peer, bool server,
             const std::vector<std::string>& hosts) const {
    LeafRequest request;
    request.name = peer;
    request.dns_names = hosts;
    request.server = server;
    const auto leaf = IssueLeaf(ca, request, now_).value();
    Put(name + ".crt", leaf.certificate + ca.certificate);
    Put(name + ".key", leaf.key);
  }

  UtcTime now_;
  TempFolder folder_;
  KeyPairPem servers_, agents_;
};

}  // namespace mig
