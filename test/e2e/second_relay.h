// Several relays of one lab.
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "test/e2e/deployment.h"

namespace mig::e2e {

// Puts these beside the lab's relay in the configuration of a role, which is started again. (The
// lab writes its configurations only when it is started itself.)
inline void AddRelays(const Lab& lab, const std::string& role,
                      const std::vector<std::uint16_t>& ports) {
  REQUIRE(lab.Mig({"lab", "stop", role}).status == 0);
  const auto file = lab.folder() / ("config/" + role + ".yaml");
  std::string text = ReadText(file);
  const std::string section = "relays:\n";
  const auto at = text.find(section);
  REQUIRE(at != std::string::npos);
  std::string more;
  for (const std::uint16_t port : ports) {
    more += "  - {host: 127.0.0.1, port: " + std::to_string(port) + "}\n";
  }
  text.insert(at + section.size(), more);
  std::ofstream(file) << text;
  REQUIRE(lab.Mig({"lab", "start", role}).status == 0);
}

// A second relay of the lab, beside it.
class SecondRelay {
 public:
  explicit SecondRelay(const Lab& lab) {
    std::string text = ReadText(lab.folder() / "config/relay.yaml");
    const auto replace = [&](const std::string& key, const std::string& line) {
      const auto at = text.find(key + ":");
      REQUIRE(at != std::string::npos);
      text.replace(at, text.find('\n', at) - at, key + ": " + line);
    };
    const auto port_file = lab.scratch() / "relay-2.port";
    replace("listen", "127.0.0.1:0\nport_file: " + port_file.string());
    replace("store", (lab.scratch() / "relay-2.db").string());
    config_ = lab.folder() / "config/relay-2.yaml";
    std::ofstream(config_) << text;
    process_.emplace(std::vector<std::string>{Executable(), "relay", "--config", config_.string()},
                     lab.Options());
    REQUIRE(
        Eventually(std::chrono::seconds(20), [&] { return std::filesystem::exists(port_file); }));
    port_ = static_cast<std::uint16_t>(std::stoi(ReadText(port_file)));
  }
  std::uint16_t port() const { return port_; }
  std::filesystem::path config() const { return config_; }
  void Kill() { process_.reset(); }

 private:
  std::filesystem::path config_;
  std::optional<Background> process_;
  std::uint16_t port_ = 0;
};

}  // namespace mig::e2e
