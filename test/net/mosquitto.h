// A Mosquitto broker for one test: somebody else's implementation to talk to. It listens on
// loopback at a port that was free a moment before, and goes with the test.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "test/temp_folder.h"

namespace mig {

inline std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  return ntohs(address.sin_port);
}

class Mosquitto {
 public:
  static constexpr const char* kProgram = "/usr/sbin/mosquitto";
  static bool Installed() { return access(kProgram, X_OK) == 0; }

  // `extra` lines go into its configuration.
  explicit Mosquitto(const std::string& extra = "") : port_(FreePort()) {
    std::ofstream config(folder_ / "mosquitto.conf");
    config << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\npersistence false\n";
    // Under root it would become another user, and with that lose the signal that ends it when the
    // test dies.
    if (geteuid() == 0) config << "user root\n";
    config << extra;
  }
  ~Mosquitto() { Stop(SIGKILL); }
  Mosquitto(const Mosquitto&) = delete;

  std::uint16_t port() const { return port_; }
  const TempFolder& folder() const { return folder_; }

  void Start() {
    const std::string config = (folder_ / "mosquitto.conf").string();
    const std::string log = (folder_ / "log").string();
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    execl(kProgram, kProgram, "-c", config.c_str(), "-v", static_cast<char*>(nullptr));
    _exit(127);
  }
  void Signal(int signal) const { kill(pid_, signal); }
  void Stop(int signal) {
    if (pid_ <= 0) return;
    kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  TempFolder folder_;
  std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace mig
