// Who gets in over TLS 1.2 and 1.3, with and without tickets, and who no longer does once his
// certificate is revoked.
#include <catch2/catch.hpp>

#include "deployment.h"
#include "running_relay.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using mqtt::Reason;
using Tls = MqttClient::Tls;

Tls With(Tls tls, int version, std::shared_ptr<SSL_SESSION> session = nullptr) {
  tls.version = version;
  tls.session = std::move(session);
  return tls;
}

// True if the client gets a CONNACK that says yes.
bool GetsIn(const RunningRelay& relay, const Tls& tls, const std::string& client_id) {
  MqttClient client(relay.port(), tls);
  mqtt::Connect connect;
  connect.client_id = client_id;
  client.Send(connect);
  const auto answer = client.Read();
  return answer && std::get<mqtt::ConnAck>(*answer).code == 0;
}

Expected<void> Reload(RunningRelay& relay) {
  return relay.Do([](MqttServer& server) { return server.ReloadTls(); });
}

TEST_CASE("relay over TLS 1.2 and 1.3: only a certificate of ours opens the door", "[net]") {
  Deployment d;
  const auto revoked = d.Issue(d.agents_ca, "agent", "a1");
  const auto good = d.Issue(d.agents_ca, "agent", "a1");
  d.Revoke({revoked});
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  const auto strangers = MakeCa("agents", Now(), 24h).value();
  struct Case {
    const char* what;
    Tls tls;
    const char* client_id = "a1";
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Case& each : {
             Case{"none", d.Nobody()},
             Case{"of a CA of the same name", d.Issue(strangers, "agent", "a1")},
             Case{"expired", d.Issue(d.agents_ca, "agent", "a1", Now() - 2h, 1h)},
             Case{"not valid yet", d.Issue(d.agents_ca, "agent", "a1", Now() + 2h, 1h)},
             Case{"revoked", revoked},
             Case{"a scheduler by the agents' CA", d.Issue(d.agents_ca, "scheduler", "s1"), "s1"},
             Case{"an API by the agents' CA", d.Issue(d.agents_ca, "api", "api1"), "api1"},
             Case{"a relay by the agents' CA", d.Issue(d.agents_ca, "relay", "r1"), "r1"},
             Case{"an agent by the servers' CA", d.Issue(d.servers_ca, "agent", "a1")},
             Case{"a role without rights", d.Issue(d.servers_ca, "investigator", "i1"), "i1"},
         }) {
      INFO("TLS " << version << ", certificate: " << each.what);
      CHECK_FALSE(GetsIn(relay, With(each.tls, version), each.client_id));
    }
    CHECK(GetsIn(relay, With(good, version), "a1"));
  }
}

TEST_CASE("relay over TLS 1.2 and 1.3: a ticket is resumed, and makes nobody more than he was",
          "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(d.agents_ca, "agent", "a1");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO("TLS " << version);
    MqttClient first(relay.port(), With(tls, version));
    CHECK(first.Connect("a1").code == 0);
    CHECK_FALSE(first.resumed());
    const auto session = first.Session();
    REQUIRE(Reload(relay));  // the keys of tickets outlive it
    MqttClient second(relay.port(), With(tls, version, session));
    CHECK(second.resumed());
    CHECK(second.Connect("a1").code == 0);
    CHECK(second.Subscribe("mig/v1/dn/a1/#") == Reason::kGrantedQos1);
    CHECK(second.Subscribe("mig/v1/dn/a2/#") == Reason::kNotAuthorized);
    MqttClient other(relay.port(), With(tls, version, session));
    CHECK(other.Connect("a2").code == 0x87);
    // Another relay knows nothing of it, and asks for the certificate.
    RunningRelay elsewhere(d.folder / "elsewhere.db", d.Options(), &d.rights);
    MqttClient third(elsewhere.port(), With(tls, version, session));
    CHECK_FALSE(third.resumed());
    CHECK(third.Connect("a1").code == 0);
  }
}

TEST_CASE("relay over TLS 1.2 and 1.3: a ticket does not outlive its certificate", "[net]") {
  Deployment d;
  d.Revoke({});
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO("TLS " << version);
    const auto tls = With(d.Issue(d.agents_ca, "agent", "a1"), version);
    MqttClient client(relay.port(), tls);
    REQUIRE(client.Connect("a1").code == 0);
    const auto session = client.Session();
    CHECK(GetsIn(relay, With(tls, version, session), "a1"));
    d.Revoke({tls});
    REQUIRE(Reload(relay));
    CHECK_FALSE(GetsIn(relay, With(tls, version, session), "a1"));
    d.Revoke({});

    const auto brief = With(d.Issue(d.agents_ca, "agent", "a2", Now(), 2s), version);
    MqttClient before(relay.port(), brief);
    REQUIRE(before.Connect("a2").code == 0);
    const auto ticket = With(brief, version, before.Session());
    bool ended = false;
    for (int i = 0; i < 5000 && !ended; ++i) ended = !GetsIn(relay, ticket, "a2");
    CHECK(ended);
  }
}

TEST_CASE("relay over TLS: a CA that is withdrawn takes its tickets and connections with it",
          "[net]") {
  Deployment d;
  // Once with another name and once with the same: names alone say nothing.
  const auto old_ca = MakeCa(GENERATE("old agents", "agents"), Now(), 24h).value();
  d.Write("agents-ca.crt", d.agents_ca.certificate + old_ca.certificate);
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(old_ca, "agent", "old");
  MqttClient old(relay.port(), tls);
  MqttClient good(relay.port(), d.Issue(d.agents_ca, "agent", "good"));
  REQUIRE(old.Connect("old").code == 0);
  REQUIRE(good.Connect("good").code == 0);
  const auto session = old.Session();
  d.Write("agents-ca.crt", d.agents_ca.certificate);
  REQUIRE(Reload(relay));
  CHECK(old.Next<mqtt::Disconnect>().reason == Reason::kNotAuthorized);
  CHECK_FALSE(GetsIn(relay, With(tls, 0, session), "old"));
  good.Send(mqtt::PingReq{});
  good.Next<mqtt::PingResp>();
}

TEST_CASE("relay over TLS: who is revoked is closed, by each file that may say so", "[net]") {
  Deployment d;
  d.Revoke({});
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  const auto bad_agent = d.Issue(d.agents_ca, "agent", "bad");
  const auto bad_server = d.Issue(d.servers_ca, "scheduler", "bad");
  MqttClient agent(relay.port(), bad_agent);
  MqttClient scheduler(relay.port(), bad_server);
  MqttClient good(relay.port(), d.Issue(d.agents_ca, "agent", "good"));
  REQUIRE(agent.Connect("bad").code == 0);
  REQUIRE(scheduler.Connect("scheduler").code == 0);
  REQUIRE(good.Connect("good").code == 0);
  d.Revoke({bad_agent, bad_server});
  REQUIRE(Reload(relay));
  CHECK(agent.Next<mqtt::Disconnect>().reason == Reason::kNotAuthorized);
  CHECK(agent.ClosedSilently());
  CHECK(scheduler.Next<mqtt::Disconnect>().reason == Reason::kNotAuthorized);
  CHECK_FALSE(GetsIn(relay, bad_agent, "bad"));
  CHECK_FALSE(GetsIn(relay, bad_server, "scheduler"));
  good.Send(mqtt::PingReq{});
  good.Next<mqtt::PingResp>();
}

TEST_CASE("relay over TLS: a revocation list that changes is seen without a signal", "[net]") {
  Deployment d;
  d.Revoke({});
  auto options = d.RevokingOptions();
  options.check_revocations = 10ms;
  RunningRelay relay(d.folder / "relay.db", std::move(options), &d.rights);
  const auto bad = d.Issue(d.agents_ca, "agent", "bad");
  MqttClient agent(relay.port(), bad);
  REQUIRE(agent.Connect("bad").code == 0);
  d.Write("agents.crl", "half a list");  // is no reason to stop looking
  d.Revoke({bad});
  CHECK(agent.Next<mqtt::Disconnect>().reason == Reason::kNotAuthorized);
}

TEST_CASE("relay over TLS: no list but a newer one takes the place of a list", "[net]") {
  Deployment d;
  const auto bad = d.Issue(d.agents_ca, "agent", "bad");
  const auto good = d.Issue(d.agents_ca, "agent", "good");
  d.Revoke({bad}, Now() - 10min);
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  const std::string right = os::ReadFile(d.File("agents.crl")).value();
  const auto strangers = MakeCa("agents", Now(), 24h).value();
  const auto list = [&](const KeyPairPem& ca, UtcTime made, std::chrono::seconds validity) {
    return MakeRevocationList(ca, {{}, made, validity});
  };
  for (const std::string& wrong :
       {std::string("nonsense"), std::string(), right.substr(0, right.size() / 2),
        list(strangers, Now(), 1h), list(d.agents_ca, Now() - 5min, 1min),
        list(d.agents_ca, Now() - 1h, 24h), list(d.servers_ca, Now(), 24h)}) {
    d.Write("agents.crl", wrong);
    const auto reloaded = Reload(relay);
    REQUIRE_FALSE(reloaded);
    CHECK_THAT(reloaded.error().message(), Contains("revocation lists stay as they were"));
    CHECK_FALSE(GetsIn(relay, bad, "bad"));
    CHECK(GetsIn(relay, good, "good"));
  }
  std::filesystem::remove(d.File("agents.crl"));
  const auto reloaded = Reload(relay);
  REQUIRE_FALSE(reloaded);
  CHECK_THAT(reloaded.error().message(), Contains("agents.crl"));
  CHECK_FALSE(GetsIn(relay, bad, "bad"));
  // A certificate of the relay that cannot be read keeps no new list away.
  d.Revoke({bad, good});
  d.Write("relay.key", "nonsense");
  CHECK_FALSE(Reload(relay));
  CHECK_FALSE(GetsIn(relay, good, "good"));
}

TEST_CASE("relay over TLS: a list that cannot be had at the start is no reason to do without",
          "[net]") {
  Deployment d;
  const auto start = [&](MqttServerOptions options) {
    boost::asio::io_context io;
    auto db = store::RelayDb::Open({d.folder / "relay.db"});
    REQUIRE(db);
    options.listen = "127.0.0.1:0";
    auto server = MqttServer::Start(io, std::move(options), std::move(*db), {}, d.rights);
    return server ? std::string("started") : server.error().message();
  };
  CHECK_THAT(start(d.RevokingOptions()), Contains("agents.crl"));
  d.Revoke({});
  CHECK(start(d.RevokingOptions()) == "started");
  d.Write("servers.crl", d.servers_ca.certificate);
  CHECK_THAT(start(d.RevokingOptions()), Contains("servers.crl") && Contains("no revocation list"));
}

TEST_CASE("relay over TLS: what an expired list revokes stays revoked", "[net]") {
  Deployment d;
  const auto bad = d.Issue(d.agents_ca, "agent", "bad");
  d.Revoke({bad}, Now() - 2h, 1h);
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  CHECK_FALSE(GetsIn(relay, bad, "bad"));
  CHECK(GetsIn(relay, d.Issue(d.agents_ca, "agent", "good"), "good"));
}

}  // namespace
}  // namespace mig
