// A broker under measurement: ours or Mosquitto, as a process of its own on loopback, with the same
// settings, a folder for what it keeps, and what it has used of processor and memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "test/bench/relay/certificates.h"
#include "util/expected.h"

namespace mig::bench {

enum class Peer {
  kOurs,              // durable, as always
  kMosquitto,         // as it comes: keeps nothing on disk
  kMosquittoDurable,  // writes its database after every change
};

// "mig", "mosquitto", "mosquitto durable".
const char* PeerName(Peer peer);

struct Programs {
  std::string mig;
  std::string mosquitto;
};

class BrokerProcess {
 public:
  // Returns once it accepts connections. `certificates` null: plain MQTT for everybody; otherwise
  // TLS where every client must show a certificate. Both must outlive it. Error: kUnavailable with
  // the last line of its log.
  static Expected<std::unique_ptr<BrokerProcess>> Start(Peer peer, const Programs& programs,
                                                        const Certificates* certificates);
  ~BrokerProcess();  // ends it and removes its folder
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

  // Of all its threads, user and system, in nanoseconds' resolution.
  double CpuSeconds() const;
  double ResidentBytes() const;

 private:
  BrokerProcess() = default;
  Expected<void> Launch(Peer peer, const Programs& programs, const Certificates* certificates);
  Expected<void> WaitUntilItListens();
  std::string LastLine() const;

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace mig::bench
