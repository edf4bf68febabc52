// The relay with libraries of others: the script of README.md, in both versions of the protocol.
#include <unistd.h>

#include "test/e2e/relay_binary.h"
#include "test/skip.h"

namespace mig::e2e {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTcp = "tcp://127.0.0.1:PORT";
constexpr const char* kWebSocket = "ws://127.0.0.1:PORT/mqtt";
constexpr const char* kDebianModules = "/usr/share/nodejs";

// `url`: where the client finds the relay, with PORT for its port.
void RunScript(std::vector<std::string> words, const std::string& url) {
  RunOptions options;
  options.environment["NODE_PATH"] = kDebianModules;  // a node that is not Debian's looks elsewhere
  // Both at once, each with a relay of its own: these clients wait for most of their time.
  const RelayBinary relays[2];
  std::unique_ptr<Background> scripts[2];
  for (const int i : {0, 1}) {
    auto with = words;
    std::string where = url;
    where.replace(where.find("PORT"), 4, relays[i].port());
    with.insert(with.end(), {where, i == 0 ? "3" : "5"});
    scripts[i] = std::make_unique<Background>(with, options);
  }
  for (const int i : {0, 1}) {
    const auto outcome = scripts[i]->Wait(60s);
    REQUIRE(outcome);
    INFO("MQTT " << (i == 0 ? "3.1.1: " : "5: ") << outcome->err);
    CHECK(outcome->status == 0);
  }
}

TEST_CASE("paho c: QoS 0 to 2, retained messages, wills, sharing, resuming", "[clients]") {
  RunScript({MIG_BUILD_DIR "/test/clients/paho_c_client"},
            GENERATE(as<std::string>{}, kTcp, kWebSocket));
}

TEST_CASE("paho c++: QoS 0 to 2, retained messages, wills, sharing, resuming", "[clients]") {
  RunScript({MIG_BUILD_DIR "/test/clients/paho_cpp_client"},
            GENERATE(as<std::string>{}, kTcp, kWebSocket));
}

TEST_CASE("npm's mqtt: QoS 0 to 2, retained messages, wills, sharing, resuming", "[clients]") {
  const std::string package = std::string(kDebianModules) + "/mqtt";
  const std::string node = "/usr/bin/node";
  if (access(package.c_str(), R_OK) != 0) MIG_SKIP("node-mqtt is not installed");
  if (access(node.c_str(), X_OK) != 0) MIG_SKIP("nodejs is not installed");
  RunScript({node, MIG_SOURCE_DIR "/test/clients/mqtt_js_client.js"},
            GENERATE(as<std::string>{}, "mqtt://127.0.0.1:PORT", kWebSocket));
}

}  // namespace
}  // namespace mig::e2e
