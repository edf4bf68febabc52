// The netstat module against sockets of this test's own, on loopback and in network namespaces that
// it makes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "modules/module.h"
#include "modules/netstat/question.h"
#include "modules/netstat/survey.h"
#include "os/files.h"
#include "os/sockets.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;

namespace {

// A socket bound to loopback, at a port of the system's choice.
class Bound {
 public:
  explicit Bound(int type, bool v6 = false)
      : v6_(v6), fd_(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0)) {
    REQUIRE(fd_.valid());
    sockaddr_storage any{};
    Fill(any, 0);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), Size()) == 0);
    sockaddr_storage is{};
    socklen_t size = sizeof is;
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&is), &size) == 0);
    port_ = ntohs(v6 ? reinterpret_cast<sockaddr_in6&>(is).sin6_port
                     : reinterpret_cast<sockaddr_in&>(is).sin_port);
  }
  void Listen() { REQUIRE(::listen(fd_.get(), 4) == 0); }
  void Connect(const Bound& other) {
    sockaddr_storage to{};
    other.Fill(to, other.port_);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), other.Size()) == 0);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  socklen_t Size() const { return v6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  void Fill(sockaddr_storage& address, std::uint16_t port) const {
    if (v6_) {
      auto& in6 = reinterpret_cast<sockaddr_in6&>(address);
      in6.sin6_family = AF_INET6;
      in6.sin6_addr = in6addr_loopback;
      in6.sin6_port = htons(port);
    } else {
      auto& in = reinterpret_cast<sockaddr_in&>(address);
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      in.sin_port = htons(port);
    }
  }
  bool v6_;
  os::FileDescriptor fd_;
  std::uint16_t port_ = 0;
};

bool HasIpv6() {
  const os::FileDescriptor fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_addr = in6addr_loopback;
  return fd.valid() && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
}

os::FileDescriptor ListenAt(const std::string& path) {
  os::FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                           (path[0] == '\0' ? 0 : 1));
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  return fd;
}

ModuleResult Ask(const json::object& parameters, bool privacy = false) {
  CollectingSink sink;
  RunContext context{sink, UtcTime{}};
  ModuleResult result = RunModule(*FindModule("netstat"), parameters, context, privacy);
  INFO(json::Write(ToJson(result)));
  REQUIRE(result.success);
  return result;
}

json::array List(const std::string& text) { return json::array{text}; }

json::array FindsOf(const ModuleResult& result, const char* field, const std::string& text) {
  const json::value& finds = result.elements.at(field).at(text);
  return finds.is_null() ? json::array() : finds.as_array();
}

std::size_t Count(const json::object& parameters, const char* field, const std::string& text) {
  return FindsOf(Ask(parameters), field, text).size();
}

bool IsOurs(const json::value& find) {
  for (const json::value& process : find.at("processes").as_array()) {
    if (process.at("pid").to_number<int>() == ::getpid()) return true;
  }
  return false;
}

std::string Refusal(const json::object& parameters) {
  const auto checked = CheckParameters(*FindModule("netstat"), parameters);
  return checked ? "" : checked.error().message();
}

os::Socket TcpSocket(std::uint16_t port, std::uint64_t inode) {
  os::Socket socket;
  socket.state = os::SocketState::kListen;
  socket.local_port = port;
  socket.inode = inode;
  return socket;
}

}  // namespace

TEST_CASE("netstat: what means nothing is refused by name", "[modules]") {
  CHECK(Refusal({}).find("asks for nothing") != std::string::npos);
  CHECK(Refusal({{"connectedip", List("192.0.2.0/33")}}).find("192.0.2.0/33") != std::string::npos);
  CHECK(Refusal({{"listeningport", List("65536")}}).find("65536") != std::string::npos);
  CHECK(Refusal({{"listeningport", List("9-1")}}).find("9-1") != std::string::npos);
  CHECK(Refusal({{"localmac", List("(")}}).find("localmac") != std::string::npos);
  CHECK(Refusal({{"excludeips", List("x")}, {"connectedip", List("::/0")}}).find("excludeips") !=
        std::string::npos);
  CHECK(Refusal({{"localip", List("::/0")}, {"states", List("listen")}}).find("sockets") !=
        std::string::npos);
  CHECK_FALSE(Refusal({{"connectedip", List("::/0")}, {"states", List("asleep")}}).empty());
  CHECK_FALSE(Refusal({{"listenport", List("1")}}).empty());
  CHECK(Refusal({{"listeningport", List("0-65535")}, {"protocols", List("tcp")}}).empty());
}

TEST_CASE("netstat: who listens is found by port and address, and whose it is", "[modules]") {
  Bound tcp(SOCK_STREAM), udp(SOCK_DGRAM), silent(SOCK_STREAM);
  tcp.Listen();
  const ModuleResult result =
      Ask({{"listeningport", json::array{tcp.port(), udp.port(), silent.port()}}});
  REQUIRE(FindsOf(result, "listeningport", tcp.port()).size() == 1);
  const json::value found = FindsOf(result, "listeningport", tcp.port()).front();
  CHECK(found.at("protocol").as_string() == "tcp");
  CHECK(found.at("state").as_string() == "listen");
  CHECK(found.at("localaddr").as_string() == "127.0.0.1");
  CHECK(found.at("namespace").as_string() == "default");
  CHECK(found.at("evidence").as_string() == "both");
  CHECK(found.at("uid").to_number<unsigned>() == ::getuid());
  CHECK(IsOurs(found));
  CHECK_FALSE(found.at("processes").at(0).at("executable").as_string().empty());
  CHECK(FindsOf(result, "listeningport", udp.port()).size() == 1);
  CHECK(FindsOf(result, "listeningport", silent.port()).empty());  // bound, and listens not
  CHECK(result.foundanything);
  CHECK(Count({{"listeningport", List(tcp.port() + "-" + tcp.port())}}, "listeningport",
              tcp.port() + "-" + tcp.port()) == 1);
  CHECK(Count({{"listeningip", List("127.0.0.1")}}, "listeningip", "127.0.0.1") >= 2);
  CHECK(Count({{"listeningport", List(tcp.port())}, {"protocols", List("udp")}}, "listeningport",
              tcp.port()) == 0);
  CHECK(Count({{"listeningport", List(tcp.port())}, {"excludeips", List("127.0.0.0/8")}},
              "listeningport", tcp.port()) == 0);
}

TEST_CASE("netstat: connections are found by their peer, and listeners are none", "[modules]") {
  Bound listener(SOCK_STREAM), client(SOCK_STREAM);
  listener.Listen();
  client.Connect(listener);
  const std::string port = listener.port();
  const ModuleResult result = Ask(
      {{"connectedport", List(port)}, {"connectedip", json::array{"127.0.0.1", "203.0.113.0/24"}}});
  REQUIRE(FindsOf(result, "connectedport", port).size() == 1);
  const json::value found = FindsOf(result, "connectedport", port).front();
  CHECK(std::to_string(found.at("localport").to_number<int>()) == client.port());
  CHECK(found.at("remoteaddr").as_string() == "127.0.0.1");
  CHECK(found.at("state").as_string() == "established");
  CHECK(IsOurs(found));
  CHECK(FindsOf(result, "connectedip", "127.0.0.1").size() >= 2);  // both ends
  CHECK(FindsOf(result, "connectedip", "203.0.113.0/24").empty());
  for (const json::value& one :
       FindsOf(Ask({{"connectedip", List("0.0.0.0/0")}}), "connectedip", "0.0.0.0/0")) {
    CHECK(one.at("state").as_string() != "listen");
  }
  const auto with = [&](const char* field, const char* value) {
    return Count({{"connectedport", List(port)}, {field, List(value)}}, "connectedport", port);
  };
  CHECK(with("states", "established") == 1);
  CHECK(with("states", "syn-sent") == 0);
  CHECK(with("protocols", "tcp") == 1);
  CHECK(with("excludeips", "127.0.0.1") == 0);
  CHECK(with("excludeips", "127.0.0.2") == 1);
}

TEST_CASE("netstat: IPv6 is seen as IPv4 is", "[modules]") {
  if (!HasIpv6()) MIG_SKIP("this machine has no IPv6");
  Bound listener(SOCK_STREAM, true), client(SOCK_STREAM, true);
  listener.Listen();
  client.Connect(listener);
  CHECK(Count({{"connectedip", List("::1")}, {"protocols", List("tcp")}}, "connectedip", "::1") >=
        2);
  CHECK(Count({{"listeningport", List(listener.port())}}, "listeningport", listener.port()) == 1);
  CHECK(Count({{"localip", List("::1")}}, "localip", "::1") == 1);
}

TEST_CASE("netstat: UNIX sockets are found by path, line breaks and all", "[modules]") {
  const TempFolder folder;
  const std::string path = (folder / "a\nb \x1b[2J").string();
  const auto named = ListenAt(path);
  const std::string name = "mig-test-" + std::to_string(::getpid());
  const auto abstract = ListenAt(std::string(1, '\0') + name);
  const ModuleResult result = Ask({{"unixpath", json::array{"a\nb", "^@" + name + "$"}}});
  REQUIRE(FindsOf(result, "unixpath", "a\nb").size() == 1);
  const json::value found = FindsOf(result, "unixpath", "a\nb").front();
  CHECK(json::ToName(found.at("path")).value() == path);
  CHECK(found.at("state").as_string() == "listen");
  CHECK(IsOurs(found));
  CHECK(FindsOf(result, "unixpath", "^@" + name + "$").size() == 1);
}

TEST_CASE("netstat: raw and packet sockets are told", "[modules]") {
  const os::FileDescriptor raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253));
  const os::FileDescriptor packet(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!raw.valid() || !packet.valid()) MIG_SKIP("raw sockets need CAP_NET_RAW");
  int of_raw = 0;
  int of_packet = 0;
  for (const json::value& one : FindsOf(Ask({{"rawsockets", true}}), "rawsockets", "any")) {
    if (!IsOurs(one)) continue;
    if (one.at("protocol").as_string() == "packet") ++of_packet;
    if (one.at("protocol").as_string() == "raw")
      of_raw += one.at("localport").to_number<int>() == 253;
  }
  CHECK(of_raw == 1);
  CHECK(of_packet == 1);
}

TEST_CASE("netstat: interfaces are found by address", "[modules]") {
  const ModuleResult result =
      Ask({{"localip", json::array{"127.0.0.0/8", "203.0.113.7"}}, {"localmac", List("^zz")}});
  REQUIRE_FALSE(FindsOf(result, "localip", "127.0.0.0/8").empty());
  CHECK(FindsOf(result, "localip", "127.0.0.0/8").front().at("interface").as_string() == "lo");
  CHECK(FindsOf(result, "localip", "203.0.113.7").empty());
  CHECK(FindsOf(result, "localmac", "^zz").empty());
  CHECK(result.statistics.at("complete").as_bool());
}

TEST_CASE("netstat: a listener in another network namespace is found there, and only when asked",
          "[modules]") {
  std::array<int, 2> ready{}, end{};
  REQUIRE(::pipe(ready.data()) == 0);
  REQUIRE(::pipe(end.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(end[1]);
    char told = 'n';
    if (::unshare(CLONE_NEWNET) == 0) {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in any{};
      any.sin_family = AF_INET;
      any.sin_port = htons(4711);
      if (::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 && ::listen(fd, 1) == 0) {
        told = 'y';
      }
    }
    [[maybe_unused]] const auto written = ::write(ready[1], &told, 1);
    char wait = 0;
    [[maybe_unused]] const auto got = ::read(end[0], &wait, 1);  // until the test has seen it
    ::_exit(0);
  }
  char told = 'n';
  REQUIRE(::read(ready[0], &told, 1) == 1);
  if (told == 'y') {
    const json::object here{{"listeningport", List("4711")}};
    const json::object all{{"listeningport", List("4711")}, {"namespaces", true}};
    const bool taken = Count(here, "listeningport", "4711") > 0;  // by somebody else, here
    const ModuleResult result = Ask(all);
    int found = 0;
    for (const json::value& one : FindsOf(result, "listeningport", "4711")) {
      const json::array& processes = one.at("processes").as_array();
      if (processes.empty() || processes.front().at("pid").to_number<int>() != child) continue;
      ++found;
      CHECK(one.at("namespace").as_string().starts_with("net:["));
      CHECK(one.at("evidence").as_string() == "procfs");
    }
    CHECK(found == 1);
    CHECK_FALSE(taken);
    CHECK(result.statistics.at("namespaces").to_number<int>() >= 2);
    // What /proc does not have of another namespace is said.
    CHECK_FALSE(
        Ask({{"localmac", List(".")}, {"namespaces", true}}).statistics.at("complete").as_bool());
  }
  for (const int fd : {ready[0], ready[1], end[0], end[1]}) ::close(fd);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  if (told != 'y') MIG_SKIP("this user may make no network namespace");
}

TEST_CASE("netstat: a limit ends a question, and says so", "[modules]") {
  std::vector<std::unique_ptr<Bound>> sockets;
  for (int i = 0; i < 5; ++i) {
    sockets.push_back(std::make_unique<Bound>(SOCK_STREAM));
    sockets.back()->Listen();
  }
  const ModuleResult result =
      Ask({{"listeningip", json::array{"127.0.0.1", "203.0.113.7"}}, {"matchlimit", 3}});
  CHECK(FindsOf(result, "listeningip", "127.0.0.1").size() == 3);
  CHECK(result.statistics.at("matchlimitreached").as_array().size() == 1);
  CHECK_FALSE(result.statistics.at("complete").as_bool());
}

TEST_CASE("netstat: peers, users and programs are masked under privacy", "[modules]") {
  const TempFolder folder;
  const auto named = ListenAt((folder / "secret").string());
  Bound listener(SOCK_STREAM), client(SOCK_STREAM);
  listener.Listen();
  client.Connect(listener);
  const ModuleResult result =
      Ask({{"connectedport", List(listener.port())}, {"unixpath", List("secret")}}, true);
  const json::value found = FindsOf(result, "connectedport", listener.port()).front();
  CHECK(found.at("remoteaddr").as_string() == "masked");
  CHECK(found.at("processes").at(0).at("name").as_string() == "masked");
  CHECK(found.at("processes").at(0).at("executable").as_string() == "masked");
  CHECK(found.at("localaddr").as_string() == "127.0.0.1");
  CHECK(FindsOf(result, "unixpath", "secret").front().at("path").as_string() == "masked");
}

TEST_CASE("netstat: prints in MIG's words, and takes what it does not expect", "[modules]") {
  const Module& module = *FindModule("netstat");
  const json::value elements = json::Parse(R"({
    "listeningport": {"22": [{"localport": 22, "localaddr": "0.0.0.0", "namespace": "default",
       "state": "listen", "protocol": "tcp", "uid": 0, "user": "root",
       "processes": [{"pid": 812, "name": "sshd", "executable": "/usr/sbin/sshd"}]}], "23": null},
    "connectedip": {"::/0": [{"remoteaddr": "2001:db8::1", "remoteport": 443, "localaddr": "2001:db8::2",
       "localport": 50000, "namespace": "net:[4026532281]"}]},
    "neighborip": 7, "localmac": {"x": "y"}, "future": {"a": [{"b": 1}, 2]}})")
                                   .value();
  const std::vector<std::string> lines = module.print(elements, false);
  const std::vector<std::string> expected = {
      "found listening port 22 for netstat listeningport:'22' at 0.0.0.0 listen tcp (sshd 812 "
      "/usr/sbin/sshd, user root)",
      "did not find anything for netstat listeningport:'23'",
      "found connected tuple 2001:db8::1:443 with local tuple 2001:db8::2:50000 for netstat "
      "connectedip:'::/0' namespace:[net:[4026532281]]",
      "did not find anything for netstat localmac:'x'", "found {\"b\":1} for netstat future:'a'"};
  CHECK(lines == expected);
  CHECK(module.print(elements, true).size() == 3);
  CHECK(module.print(json::value(7), false).empty());
  CHECK(
      module.print_statistics(json::Parse(R"({"notseen": 7, "crosscheck": []})").value()).size() ==
      1);
}

TEST_CASE("netstat: a socket that only one of the kernel's ways tells of is a disagreement",
          "[modules]") {
  using netstat::Evidence;
  const os::Socket both = TcpSocket(1, 1), comes = TcpSocket(2, 2), goes = TcpSocket(3, 3),
                   hidden = TcpSocket(4, 4), only_files = TcpSocket(5, 5),
                   nobodys = TcpSocket(6, 0);
  netstat::Disagreement disagreement;
  const auto seen = netstat::Join({both, comes, hidden, nobodys}, {both, goes, only_files},
                                  {both, comes, only_files}, disagreement);
  std::map<std::uint16_t, Evidence> evidence;
  for (const netstat::SeenSocket& one : seen) evidence[one.socket.local_port] = one.evidence;
  CHECK(evidence == std::map<std::uint16_t, Evidence>{{1, Evidence::kBoth},
                                                      {2, Evidence::kBoth},
                                                      {3, Evidence::kFiles},
                                                      {4, Evidence::kNetlink},
                                                      {5, Evidence::kFiles},
                                                      {6, Evidence::kNetlink}});
  CHECK(disagreement.netlink_count == 1);
  CHECK(disagreement.files_count == 1);
  CHECK(disagreement.compared == 4);
  CHECK(disagreement.netlink_only.front() == "tcp 0.0.0.0:4 0.0.0.0:0 inode 4");
}

TEST_CASE("netstat: agrees with ss about who listens", "[modules]") {
  if (std::system("command -v ss >/dev/null") != 0) MIG_SKIP("this machine has no ss (iproute2)");
  Bound tcp(SOCK_STREAM), udp(SOCK_DGRAM);
  tcp.Listen();
  FILE* const pipe = ::popen("ss -H -l -t -n", "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (std::array<char, 4096> buffer{}; ::fgets(buffer.data(), buffer.size(), pipe) != nullptr;) {
    text += buffer.data();
  }
  ::pclose(pipe);
  std::multiset<std::string> ours, theirs;
  for (const json::value& one :
       FindsOf(Ask({{"listeningport", List("0-65535")}, {"protocols", List("tcp")}}),
               "listeningport", "0-65535")) {
    ours.insert(std::to_string(one.at("localport").to_number<int>()));
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string state, receive, send, local;
    words >> state >> receive >> send >> local;
    theirs.insert(local.substr(local.rfind(':') + 1));
  }
  CHECK(ours == theirs);
  CHECK(ours.contains(tcp.port()));
}
