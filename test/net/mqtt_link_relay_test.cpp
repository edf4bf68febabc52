// The link against our own relay over TLS: who is believed, and how a refusal is told.
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "test/net/link_peer.h"
#include "test/net/link_relay.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// That several attempts were made and none succeeded.
bool NeverConnects(LinkPeer& peer) {
  int attempts = 0;
  peer.link->SetWill([&] {
    ++attempts;
    return LinkWill{"w", "", 0s};
  });
  peer.link->Start();
  return RunUntil(peer.io, [&] { return attempts >= 3 || peer.connects > 0; }) &&
         peer.connects == 0;
}

}  // namespace

TEST_CASE("mqtt link: over TLS with certificates, to our own relay", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkPeer peer(io, Towards(relay, certificates));
  peer.link->Subscribe({"a/#"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  CHECK(peer.Publish("a/b", "hello", 1, 60s).value().has_value());
  REQUIRE(RunUntil(io, [&] { return !peer.messages.empty(); }));
  CHECK(peer.messages == std::vector<std::string>{"a/b hello"});
}

TEST_CASE("mqtt link: a refused publish is told with the relay's reason code", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkPeer peer(io, Towards(relay, certificates));
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  const auto refused = peer.Publish("forbidden/x", "hello");
  REQUIRE(refused);
  REQUIRE_FALSE(*refused);
  CHECK(refused->error().code() == Errc::kDenied);
  CHECK(refused->error().message().find("(0x87)") != std::string::npos);
  CHECK(peer.link->connected());
  CHECK(peer.Publish("allowed", "hello").value().has_value());
}

TEST_CASE("mqtt link: without the subscriptions it was given it does not count as connected",
          "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkPeer peer(io, Towards(relay, certificates));
  peer.link->Subscribe({"allowed", "forbidden/#"});
  CHECK(NeverConnects(peer));
  CHECK(peer.losses == 0);
}

TEST_CASE("mqtt link: a relay that is not believed, or does not believe us, is not connected to",
          "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates), elsewhere(io, certificates, "elsewhere");
  {
    LinkOptions options = Towards(relay, certificates);
    options.tls.ca_file = certificates.File("strangers-ca.crt");
    LinkPeer peer(io, options);
    CHECK(NeverConnects(peer));
  }
  {
    LinkPeer peer(io, Towards(elsewhere, certificates));  // a good certificate of another host
    CHECK(NeverConnects(peer));
  }
  {
    LinkPeer peer(io, Towards(relay, certificates, "stranger"));
    CHECK(NeverConnects(peer));
  }
  {
    LinkPeer peer(io, Towards(relay, certificates, ""));  // no certificate
    CHECK(NeverConnects(peer));
  }
  {
    LinkOptions options = Towards(relay, certificates);
    options.tls.key_file = "/nonexistent";
    LinkPeer peer(io, options);
    CHECK(NeverConnects(peer));
  }
}

TEST_CASE("mqtt link: a connection taken over by another of the same name says so", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkPeer first(io, Towards(relay, certificates));
  first.link->Start();
  REQUIRE(first.AwaitConnect());
  LinkPeer second(io, Towards(relay, certificates));
  second.link->Start();
  REQUIRE(RunUntil(io, [&] { return first.losses > 0; }));
  CHECK(first.last_reason.find("session taken over (0x8e)") != std::string::npos);
}

TEST_CASE("mqtt link: more publishes than the relay's window holds all arrive", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkPeer peer(io, Towards(relay, certificates));
  peer.link->Subscribe({"a"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  int acknowledged = 0;
  for (int i = 0; i < 256; ++i) {
    peer.link->Publish("a", std::to_string(i), 1, 60s, false,
                       [&](Expected<void> result) { acknowledged += result ? 1 : 0; });
  }
  REQUIRE(RunUntil(io, [&] { return acknowledged == 256 && peer.messages.size() == 256; }));
  CHECK(peer.messages.back() == "a 255");
}

}  // namespace mig
