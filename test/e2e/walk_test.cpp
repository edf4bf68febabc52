// The way of a question as a user walks it: lab, query, answer, exit status, end.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "os/files.h"
#include "test/e2e/lab.h"
#include "test/sanitizers.h"

using namespace mig;
using namespace mig::e2e;

namespace fs = std::filesystem;

TEST_CASE("query: a question finds, does not find, and its exit status says so", "[e2e]") {
  const Lab lab;
  const Outcome found = lab.Mig({"query", "file", "-path", "/etc", "-name", "^passwd$"});
  INFO(found.err);
  CHECK(found.status == 0);
  CHECK(found.out.find("/etc/passwd") != std::string::npos);
  CHECK(found.err.find("answered 1/1, found 1, failed 0, silent 0") != std::string::npos);

  const Outcome nothing = lab.Mig({"file", "-path", "/etc", "-name", "^no-such-file$"});
  INFO(nothing.err);
  CHECK(nothing.status == 1);
  CHECK(nothing.out.empty());

  // In whatever order: -name is the module's, and no name of the query.
  const Outcome swapped = lab.Mig({"file", "-name", "^no-such-file$", "-path", "/etc"});
  INFO(swapped.err);
  CHECK(swapped.status == 1);

  const Outcome usage = lab.Mig({"query", "file", "-nmae", "x"});
  CHECK(usage.status == 2);
  CHECK(usage.err.find("`name`") != std::string::npos);
}

TEST_CASE("query: several agents answer one question, each once", "[e2e]") {
  const Lab lab(3);
  const Outcome all = lab.Mig({"query", "example", "-gethostname", "-t", "all", "--jsonl"});
  INFO(all.err);
  REQUIRE(all.status == 0);
  CHECK(all.err.find("answered 3/3") != std::string::npos);

  const Outcome one = lab.Mig(
      {"query", "file", "-t", "name = 'agent-2'", "-path", "/etc", "-name", "^passwd$", "--json"});
  INFO(one.err);
  REQUIRE(one.status == 0);
  const json::value document = ParseJson(one.out);
  REQUIRE(document.at("answers").as_array().size() == 1);
  CHECK(document.at("answers").at(0).at("name").as_string() == "agent-2");

  const Outcome nobody =
      lab.Mig({"query", "file", "-t", "name = 'nobody'", "-path", "/etc", "-name", "x"});
  CHECK(nobody.status == 2);  // nothing was asked: the target is to be looked at again
  CHECK(nobody.err.find("no agent") != std::string::npos);

  const Outcome bad = lab.Mig({"query", "file", "-t", "nmae = 'x'", "-path", "/", "-name", "x"});
  CHECK(bad.status == 2);
  CHECK(bad.err.find("`name`") != std::string::npos);
}

TEST_CASE("query: -t local needs no server, and -p only prints the envelope", "[e2e]") {
  TempFolder temp;
  temp.Write("needle", "content\n");
  const Outcome local =
      Run({Executable(), "query", "file", "-t", "local", "-path", temp.path().string(), "-name",
           "^needle$"},
          {.environment = {{"HOME", temp.path().string()}, {"MIG_LAB_DIR", "/nonexistent"}}});
  INFO(local.err);
  CHECK(local.status == 0);
  CHECK(local.out.find("needle") != std::string::npos);

  const Lab lab;
  const Outcome printed = lab.Mig({"query", "file", "-p", "-path", "/etc", "-name", "x"});
  INFO(printed.err);
  REQUIRE(printed.status == 0);
  CHECK(ParseJson(printed.out).at("payloadType").as_string() ==
        "application/vnd.mig.action.v1+json");
}

TEST_CASE("query: hostile file names cannot steer the terminal", "[e2e]") {
  const Lab lab;
  const std::set<std::string> names = {
      "a\x1b[2Jb\nagent-1 forged", "not-utf8-\xff\xfe",
      std::string(246, 'n') + "\n\x1b]0;\xff\a\r\t",  // as long as a name may be
  };
  for (const std::string& name : names) {
    std::ofstream file(lab.scratch() / name);
    REQUIRE(file << "x" << std::flush);
  }
  const Outcome text = lab.Mig({"query", "file", "-path", lab.scratch().string(), "-size", ">0"});
  INFO(text.out << text.err);
  REQUIRE(text.status == 0);
  CHECK(text.out.find('\x1b') == std::string::npos);
  CHECK(text.out.find("\nagent-1 forged") == std::string::npos);
  CHECK(text.out.find("agent-1 forged") != std::string::npos);
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 3);

  const Outcome document =
      lab.Mig({"query", "file", "-path", lab.scratch().string(), "-size", ">0", "--json"});
  REQUIRE(document.status == 0);
  CHECK(document.out.find('\x1b') == std::string::npos);
  // Every byte of every name arrives.
  std::set<std::string> arrived;
  const json::value answers = ParseJson(document.out).at("answers");
  for (const json::value& element : answers.at(0).at("result").at("elements").at("s1").as_array()) {
    arrived.insert(fs::path(json::ToName(element.at("file")).value()).filename().string());
  }
  CHECK(arrived == names);
}

TEST_CASE("query: what processes hold without a name is found on an agent", "[e2e]") {
  const Lab lab;
  const fs::path gone = lab.scratch() / "gone";
  std::ofstream(gone) << "needle in what was deleted\n";
  const os::FileDescriptor held(::open(gone.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(held.valid());
  fs::remove(gone);
  const auto ask = [&](const char* target) {
    return lab.Mig({"query", "file", "-t", target, "-path", lab.scratch().string(), "-content",
                    "needle", "-deleted", "--json"});
  };
  for (const char* target : {"all", "local"}) {
    INFO(target);
    const Outcome found = ask(target);
    INFO(found.out << found.err);
    REQUIRE(found.status == 0);
    CHECK(found.out.find("/gone\"") != std::string::npos);
    CHECK(found.out.find("\"pid\":" + std::to_string(::getpid())) != std::string::npos);
  }
  // By hand too, where the module tells by its words what it needs.
  const Outcome by_hand = lab.Mig(
      {"module", "file", "-path", lab.scratch().string(), "-content", "needle", "-deleted"});
  INFO(by_hand.out << by_hand.err);
  CHECK(by_hand.out.find("/gone\"") != std::string::npos);
}

TEST_CASE("query: who listens is found by an agent in its sandbox, with process and program",
          "[e2e]") {
  const Lab lab;
  const os::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), size) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
  const std::string port = std::to_string(ntohs(any.sin_port));
  for (const char* target : {"all", "local"}) {
    INFO(target);
    const Outcome found = lab.Mig({"query", "netstat", "-t", target, "-lp", port, "-namespaces",
                                   "-ni", "::/0", "-li", "127.0.0.1", "-up", "."});
    INFO(found.out << found.err);
    REQUIRE(found.status == 0);
    CHECK(found.out.find("found listening port " + port) != std::string::npos);
    CHECK(found.out.find(" " + std::to_string(::getpid()) + " ") != std::string::npos);
    CHECK(found.out.find(fs::read_symlink("/proc/self/exe").string()) != std::string::npos);
    CHECK(found.out.find("found local ip 127.0.0.1") != std::string::npos);
    CHECK(found.err.find("netlink") == std::string::npos);  // as what could not be seen
  }
}

TEST_CASE("lab: two side by side do not meet", "[e2e]") {
  const Lab first;
  const Lab second;
  for (const Lab* lab : {&first, &second}) {
    const Outcome found = lab->Mig({"query", "example", "-gethostname"});
    INFO(found.err);
    CHECK(found.status == 0);
    CHECK(found.err.find("answered 1/1") != std::string::npos);
  }
}

TEST_CASE("lab: what was killed comes up again with its data", "[e2e]") {
  const Lab lab;
  const Outcome asked = lab.Mig({"query", "example", "-gethostname", "--json"});
  INFO(asked.err);
  REQUIRE(asked.status == 0);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());

  // As in a power cut: the supervisor and everything it started, at once.
  const Outcome status = lab.Mig({"lab", "status", "--json"});
  const json::value document = ParseJson(status.out);
  const int supervisor = document.at("supervisor").to_number<int>();
  for (const json::value& role : document.at("roles").as_array()) {
    kill(role.at("pid").to_number<int>(), SIGKILL);
  }
  REQUIRE(kill(supervisor, SIGKILL) == 0);
  REQUIRE(Eventually(std::chrono::seconds(5), [&] { return kill(supervisor, 0) != 0; }));

  const Outcome up = lab.Mig({"lab", "up"});
  INFO(up.out << up.err);
  REQUIRE(up.status == 0);
  const Outcome results = lab.Mig({"results", id});
  INFO(results.err);
  CHECK(results.status == 0);
  CHECK(results.out.find("hostname is") != std::string::npos);
  CHECK(lab.Mig({"query", "example", "-gethostname"}).status == 0);
}

TEST_CASE("api: a client without a known key, or without a server, is told so", "[e2e]") {
  const Lab lab;
  TempFolder temp;
  const Outcome made = lab.Mig({"key", "new", "--name", "Eve <eve@example.net>", "--no-passphrase",
                                "--out", (temp / "eve.key").string()});
  INFO(made.err);
  REQUIRE(made.status == 0);
  const Outcome refused = lab.Mig({"query", "example", "-gethostname"},
                                  {.environment = {{"MIG_KEY", (temp / "eve.key").string()}}});
  INFO(refused.out << refused.err);
  CHECK(refused.status == 4);
}

TEST_CASE("agents: 100,000 matches arrive with bounded memory in every role", "[e2e]") {
  const Lab lab;
  const auto tree = lab.scratch() / "many";
  for (int folder = 0; folder < 100; ++folder) {
    const auto name = tree / std::to_string(folder);
    std::filesystem::create_directories(name);
    for (int file = 0; file < 1000; ++file) {
      std::ofstream(name / ("f" + std::to_string(file)));
    }
  }
  const Outcome found = lab.Mig({"query", "file", "-path", tree.string(), "-name", "^f[0-9]+$",
                                 "-matchlimit", "0", "-e", "5m"},
                                {.deadline = std::chrono::seconds(280)});
  INFO(found.err);
  CHECK(found.status == 0);
  CHECK(std::count(found.out.begin(), found.out.end(), '\n') >= 100'000);
  CHECK(found.err.find("answered 1/1, found 1, failed 0") != std::string::npos);

  // The sanitizer keeps freed memory in quarantine.
  constexpr long kMostKib = (kAddressSanitizer ? 1024 : 96) * 1024;
  // The client too, which printed them all.
  CHECK(found.peak_kib > 0);
  CHECK(found.peak_kib < kMostKib);
  for (const char* role : {"relay", "scheduler", "api", "agent-1"}) {
    std::ifstream status("/proc/" + std::to_string(lab.PidOf(role)) + "/status");
    long peak_kib = 0;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) peak_kib = std::atol(line.c_str() + 6);
    }
    INFO(role << " peak " << peak_kib << " KiB");
    CHECK(peak_kib > 0);
    CHECK(peak_kib < kMostKib);
  }
}
