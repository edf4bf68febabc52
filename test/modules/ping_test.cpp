// The ping module against sockets of this test's own, on loopback.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "modules/module.h"
#include "os/files.h"
#include "os/reach.h"
#include "test/skip.h"

using namespace mig;

namespace {

class Socket {
 public:
  explicit Socket(int type) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address_), &size) == 0);
  }
  int fd() const { return fd_.get(); }
  int port() const { return ntohs(address_.sin_port); }
  const sockaddr_in& address() const { return address_; }

 private:
  os::FileDescriptor fd_;
  sockaddr_in address_{};
};

ModuleResult Ping(const std::string& parameters) {
  CollectingSink sink;
  RunContext context{sink, UtcTime{}};
  return RunModule(*FindModule("ping"), *json::ParseObject(parameters), context, false);
}

ModuleResult PingPort(std::string_view protocol, int port, int count = 1) {
  return Ping(json::Write(json::object{{"destination", "127.0.0.1"},
                                       {"protocol", protocol},
                                       {"destinationport", port},
                                       {"count", count},
                                       {"timeout", 1}}));
}

std::vector<double> Latencies(const ModuleResult& result) {
  INFO(json::Write(ToJson(result)));
  REQUIRE(result.elements.is_object());
  std::vector<double> latencies;
  for (const json::value& value : result.elements.get_object().at("latencies").as_array()) {
    latencies.push_back(value.to_number<double>());
  }
  return latencies;
}

std::vector<std::string> Lines(const ModuleResult& result) {
  return PrintResult(*FindModule("ping"), result, true);
}

// A port that was free a moment ago.
int ClosedPort(int type) { return Socket(type).port(); }

std::string Refusal(std::string_view parameters) {
  const auto checked = CheckParameters(*FindModule("ping"), *json::ParseObject(parameters));
  return checked ? "" : checked.error().message();
}

}  // namespace

TEST_CASE("ping: a listening TCP port answers, as often as asked", "[modules]") {
  const Socket listener(SOCK_STREAM);
  REQUIRE(::listen(listener.fd(), 8) == 0);
  const ModuleResult result = PingPort("tcp", listener.port(), 2);
  CHECK(result.success);
  CHECK(result.foundanything);
  const auto latencies = Latencies(result);
  REQUIRE(latencies.size() == 2);
  CHECK(latencies[0] > 0);
  CHECK(latencies[0] < 1000);
  CHECK(result.elements.get_object().at("failures").is_null());
  const std::string port = std::to_string(listener.port());
  CHECK(result.elements.get_object().at("resolvedhost").as_string() ==
        "127.0.0.1:" + port + " (127.0.0.1)");
  const auto lines = Lines(result);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] ==
        "tcp ping of 127.0.0.1:" + port + " (127.0.0.1) succeeded. Target is reachable.");
  CHECK(lines[1].starts_with("ping #1 succeeded in "));
  CHECK(lines[1].ends_with("ms"));
}

TEST_CASE("ping: a refused TCP connection is an answer of -1, not a crash", "[modules]") {
  const ModuleResult result = PingPort("tcp", ClosedPort(SOCK_STREAM));
  CHECK(result.success);
  CHECK_FALSE(result.foundanything);
  CHECK(Latencies(result) == std::vector<double>{-1});
  CHECK(json::Write(result.elements.get_object().at("failures")) ==
        R"(["ping #1: Connection refused"])");
  CHECK(Lines(result).empty());
  CHECK(PrintResult(*FindModule("ping"), result, false).at(1) ==
        "ping #1 failed, target was unreachable");
}

TEST_CASE("ping: a TCP port that does not answer times out, and is not found", "[modules]") {
  // A full backlog: the kernel drops further attempts.
  const Socket listener(SOCK_STREAM);
  REQUIRE(::listen(listener.fd(), 0) == 0);
  std::vector<os::FileDescriptor> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers.back().get(), reinterpret_cast<const sockaddr*>(&listener.address()),
              sizeof(sockaddr_in));
  }
  const ModuleResult result = PingPort("tcp", listener.port());
  CHECK(Latencies(result) == std::vector<double>{9'999'999});
  CHECK_FALSE(result.foundanything);
}

TEST_CASE("ping: UDP answers, refuses, or stays silent, which may be open", "[modules]") {
  const Socket echo(SOCK_DGRAM);
  std::thread answering([&] {
    char byte = 0;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    if (::recvfrom(echo.fd(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size) == 1) {
      ::sendto(echo.fd(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  });
  const ModuleResult answered = PingPort("udp", echo.port());
  answering.join();
  CHECK(answered.foundanything);
  CHECK(Latencies(answered).at(0) < 1000);

  const ModuleResult refused = PingPort("udp", ClosedPort(SOCK_DGRAM));
  CHECK(Latencies(refused) == std::vector<double>{-1});
  CHECK_FALSE(refused.foundanything);

  const Socket silent(SOCK_DGRAM);
  const ModuleResult silence = PingPort("udp", silent.port());
  CHECK(Latencies(silence) == std::vector<double>{9'999'999});
  CHECK(silence.foundanything);
  CHECK(Lines(silence).at(1) == "ping #1 may have succeeded (no udp response)");
}

TEST_CASE("ping: ICMP of loopback answers", "[modules]") {
  if (!os::IcmpSocket::Open(false)) MIG_SKIP("ICMP sockets are not allowed here");
  const ModuleResult result = Ping(R"({"destination":"127.0.0.1","count":3,"timeout":5})");
  const auto latencies = Latencies(result);
  REQUIRE(latencies.size() == 3);
  for (const double latency : latencies) CHECK((latency > 0 && latency < 5000));
  CHECK(result.foundanything);
  CHECK(result.elements.get_object().at("resolvedhost").as_string() == "127.0.0.1 (127.0.0.1)");
}

TEST_CASE("ping: ICMP of IPv6 answers, too, with brackets around the address and without",
          "[modules]") {
  if (!os::IcmpSocket::Open(true)) MIG_SKIP("ICMP sockets are not allowed here");
  const os::FileDescriptor v6(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  if (::bind(v6.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) != 0) {
    MIG_SKIP("no IPv6 here");
  }
  for (const char* name : {"::1", "[::1]"}) {
    const ModuleResult six =
        Ping(json::Write(json::object{{"destination", name}, {"count", 1}, {"timeout", 5}}));
    CHECK(six.foundanything);
    CHECK(six.elements.get_object().at("resolvedhost").as_string() == std::string(name) + " (::1)");
  }
}

TEST_CASE("ping: a name that does not resolve fails the run, with the resolver's reason",
          "[modules]") {
  const ModuleResult result = Ping(R"({"destination":"no-such-host.invalid","count":1})");
  CHECK_FALSE(result.success);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE("ping: parameters that make no sense are refused by name", "[modules]") {
  CHECK(Refusal(R"({"destination":"h"})").empty());
  CHECK(Refusal(R"({"destination":"h","destinationport":-1})").empty());  // as MIG's clients send
  CHECK(Refusal(R"({"destination":"h","destinationport":80})") ==
        "destinationport: icmp knows no ports");
  CHECK(Refusal(R"({"destination":"h","protocol":"tcp"})") ==
        "destinationport: tcp needs one, 1..65535");
  CHECK(Refusal(R"({"destination":"h","protocol":"udp","destinationport":0})") ==
        "destinationport: udp needs one, 1..65535");
  CHECK(Refusal(R"({"destination":"a b"})").starts_with("destination: "));
  CHECK(Refusal(R"({"destination":"h","protocol":"sctp"})").find("icmp, tcp, udp") !=
        std::string::npos);
  CHECK(Refusal(R"({"destination":"h","count":0})") == "count: 0 is not 1..100");
  CHECK(Refusal(R"({"protocol":"icmp"})") == "destination: is missing");
}

TEST_CASE("ping: elements that are not as they should be do not crash the printer", "[modules]") {
  for (const char* text : {"null", "[]", "{}", R"({"latencies":{}})", R"({"latencies":["x",null]})",
                           R"({"latencies":[1],"protocol":7,"failures":[1,{}]})"}) {
    PrintResult(*FindModule("ping"), {true, true, *json::Parse(text), nullptr, {}, {}, {}}, false);
  }
}
