// docs/relay.md, followed as a reader would: its files are written, its commands are run in their
// order. `sh terminal NAME` goes on until the next one of its kind begins, or one that is `sh
// stopped NAME`.
#include <unistd.h>

#include "test/document.h"
#include "test/e2e/relay_binary.h"
#include "test/net/mosquitto.h"
#include "test/skip.h"

namespace mig::e2e {
namespace {

using namespace std::chrono_literals;

// The ports of the page may be somebody's here.
std::string WithPorts(std::string text, const std::map<std::string, std::string>& ports) {
  for (const auto& [written, used] : ports) {
    for (std::size_t at = 0; (at = text.find(written, at)) != std::string::npos;) {
      text.replace(at, written.size(), used);
      at += used.size();
    }
  }
  return text;
}

TEST_CASE("relay.md: its commands do what it says", "[clients]") {
  if (access("/usr/bin/mosquitto_sub", X_OK) != 0) MIG_SKIP("mosquitto-clients is not installed");
  const TempFolder folder;
  std::filesystem::create_directory(folder / "bin");
  std::filesystem::create_symlink(MigExecutable(), folder / "bin/mig");
  std::filesystem::create_directory(folder / "work");
  const std::string start = "cd " + (folder / "work").string() +
                            " && PATH=" + (folder / "bin").string() + ":$PATH && set -e\n";
  const std::map<std::string, std::string> ports = {{"1883", std::to_string(FreePort())},
                                                    {"9883", std::to_string(FreePort())}};
  std::unique_ptr<Background> terminal;
  std::map<std::string, std::string> outputs;
  for (const Example& example : ReadDocument("docs/relay.md").examples) {
    INFO(example.name);
    const std::string text = WithPorts(example.text, ports);
    if (example.language == "yaml") {
      folder.Write("work/" + example.name, text);
      continue;
    }
    REQUIRE(example.language == "sh");
    if (example.name.starts_with("terminal ")) {
      terminal.reset();
      terminal = std::make_unique<Background>(
          std::vector<std::string>{"/bin/bash", "-c", start + "exec " + text});
      REQUIRE(terminal->WaitForOutput("listening", 30s));
      continue;
    }
    if (example.name.starts_with("stopped ")) terminal.reset();
    RunOptions options;
    options.deadline = 40s;
    const Outcome outcome = Run({"/bin/bash", "-c", start + text}, options);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.status == 0);
    outputs[example.name] = outcome.out;
  }
  CHECK(outputs.at("try").find("reader") != std::string::npos);  // among the largest queues
  CHECK(outputs.at("try").find("21.5\n") != std::string::npos);
  CHECK(outputs.at("metrics").find("mig_relay_store_writable 1\n") != std::string::npos);
  CHECK(outputs.at("sys").find("$SYS/broker/clients/connected 1\n") != std::string::npos);
}

}  // namespace
}  // namespace mig::e2e
