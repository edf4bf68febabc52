// The real relay as a process, with a configuration, a database and a port of its own.
#pragma once

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "os/files.h"
#include "test/e2e/process.h"
#include "test/net/certificates.h"
#include "test/temp_folder.h"

namespace mig::e2e {

inline std::string MigExecutable() { return std::string(MIG_BUILD_DIR) + "/mig"; }

class RelayBinary {
 public:
  // `more` are lines of its configuration. With certificates it speaks TLS, else it is open.
  explicit RelayBinary(const std::string& more = "", const Certificates* certificates = nullptr) {
    std::string text = "listen: 127.0.0.1:0\nport_file: port\nstore: relay.db\n" + more;
    if (certificates == nullptr) {
      text += "open: true\n";
    } else {
      text += "tls: {certificate: " + certificates->File("server.crt") +
              ", key: " + certificates->File("server.key") +
              ", agents_ca: " + certificates->File("agents-ca.crt") +
              ", servers_ca: " + certificates->File("servers-ca.crt") + "}\n";
    }
    folder_.Write("relay.yaml", text);
    Start();
  }

  std::filesystem::path config() const { return folder_ / "relay.yaml"; }
  std::filesystem::path store() const { return folder_ / "relay.db"; }
  int pid() const { return process_->pid(); }
  const std::string& port() const { return port_; }

  void Start() {
    std::filesystem::remove(folder_ / "port");
    process_ = std::make_unique<Background>(
        std::vector<std::string>{MigExecutable(), "relay", "--config", config().string()});
    REQUIRE(process_->WaitForOutput("listening", std::chrono::seconds(30)));
    port_ = *os::ReadFile(folder_ / "port");
    port_.pop_back();  // the line's end
  }
  void Kill() { process_.reset(); }
  // In order, and what it wrote.
  Outcome Stop() {
    process_->Signal(SIGTERM);
    auto outcome = process_->Wait(std::chrono::seconds(30));
    REQUIRE(outcome);
    return *outcome;
  }
  bool Says(const std::string& text) {
    return process_->WaitForOutput(text, std::chrono::seconds(20));
  }

 private:
  TempFolder folder_;
  std::unique_ptr<Background> process_;
  std::string port_;
};

}  // namespace mig::e2e
