#include "test/bench/relay/broker_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>
#include <vector>

namespace mig::bench {
namespace {

// Bounds of ours that a row would reach, and Mosquitto does not have here: new connections a
// second, and messages that wait for one client when a busy machine stalls a row with a fixed rate.
// (Bytes that wait stay bounded: that is what the clients that hang are to show.)
constexpr std::array kWide{"connection_rate=0", "queue_messages=100000"};

constexpr std::chrono::seconds kStartWithin{10};
constexpr std::chrono::milliseconds kLookAgain{20};

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Mosquitto cannot let the kernel pick; a port that was free a moment ago has to do.
std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  return ntohs(address.sin_port);
}

bool Accepts(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool is_open =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return is_open;
}

// What both hold for one client: 64 messages in flight, no Nagle, queues that no row fills.
std::string MosquittoConfig(std::uint16_t port, bool durable, const std::filesystem::path& folder,
                            const Certificates* certificates) {
  std::string text = "listener " + std::to_string(port) +
                     " 127.0.0.1\n"
                     "max_queued_messages 0\n"
                     "max_inflight_messages 64\n"
                     "set_tcp_nodelay true\n"
                     "log_type error\n"
                     "log_dest stderr\n";
  if (certificates == nullptr) {
    text += "allow_anonymous true\n";
  } else {
    text += "cafile " + certificates->File("all-ca.crt") + "\ncertfile " +
            certificates->File("relay.crt") + "\nkeyfile " + certificates->File("relay.key") +
            "\nrequire_certificate true\nuse_identity_as_username true\n";
  }
  if (durable) {
    text += "persistence true\npersistence_location " + folder.string() +
            "/\nautosave_on_changes true\nautosave_interval 1\n";
  } else {
    text += "persistence false\n";
  }
  // Under root it would become another user, which may not write here.
  if (geteuid() == 0) text += "user root\n";
  return text;
}

std::string OurConfig(std::uint16_t port, const Certificates& certificates) {
  return "listen: 127.0.0.1:" + std::to_string(port) +
         "\nstore: relay.db\n"
         "tls:\n  certificate: " +
         certificates.File("relay.crt") + "\n  key: " + certificates.File("relay.key") +
         "\n  agents_ca: " + certificates.File("agents-ca.crt") +
         "\n  servers_ca: " + certificates.File("servers-ca.crt") +
         "\nlimits:\n  connection_rate: 0\nlog:\n  level: error\n";
}

}  // namespace

const char* PeerName(Peer peer) {
  switch (peer) {
    case Peer::kOurs:
      return "mig";
    case Peer::kMosquitto:
      return "mosquitto";
    case Peer::kMosquittoDurable:
      return "mosquitto durable";
  }
  return "";
}

Expected<std::unique_ptr<BrokerProcess>> BrokerProcess::Start(Peer peer, const Programs& programs,
                                                              const Certificates* certificates) {
  std::unique_ptr<BrokerProcess> broker(new BrokerProcess);
  if (auto done = broker->Launch(peer, programs, certificates); !done) {
    return std::move(done).error().During(PeerName(peer));
  }
  if (auto done = broker->WaitUntilItListens(); !done) {
    return std::move(done).error().During(PeerName(peer));
  }
  return broker;
}

Expected<void> BrokerProcess::Launch(Peer peer, const Programs& programs,
                                     const Certificates* certificates) {
  std::string pattern = (std::filesystem::temp_directory_path() / "mig-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return Error(Errc::kIo, "make " + pattern);
  folder_ = pattern;
  port_ = FreePort();
  std::vector<std::string> words;
  const std::string config = (folder_ / "config").string();
  if (peer != Peer::kOurs) {
    std::ofstream(config) << MosquittoConfig(port_, peer == Peer::kMosquittoDurable, folder_,
                                             certificates);
    words = {programs.mosquitto, "-c", config};
  } else if (certificates != nullptr) {
    std::ofstream(config) << OurConfig(port_, *certificates);
    words = {programs.mig, "relay", "--config", config};
  } else {
    words = {programs.mig,
             "relay",
             "--open",
             "--listen",
             "127.0.0.1:" + std::to_string(port_),
             "--store",
             (folder_ / "relay.db").string()};
    for (const char* bound : kWide) words.insert(words.end(), {"--limit", bound});
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = (folder_ / "log").string();
  pid_ = fork();
  if (pid_ < 0) return Error(Errc::kIo, "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  return {};
}

Expected<void> BrokerProcess::WaitUntilItListens() {
  const auto deadline = std::chrono::steady_clock::now() + kStartWithin;
  while (!Accepts(port_)) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return Error(Errc::kUnavailable, "ended at once: " + LastLine());
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return Error(Errc::kUnavailable, "does not listen: " + LastLine());
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return {};
}

std::string BrokerProcess::LastLine() const {
  std::ifstream log(folder_ / "log");
  std::string last;
  for (std::string line; std::getline(log, line);) last = line;
  return last;
}

BrokerProcess::~BrokerProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;  // a folder left in /tmp spoils no figure
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

double BrokerProcess::CpuSeconds() const {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double BrokerProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  double pages_in_all = 0;
  double pages = 0;
  file >> pages_in_all >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace mig::bench
