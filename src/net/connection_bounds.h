// How many connections there may be, in all and from one source, and how fast new ones may come.
// Counts only; what is done about it (waiting in the kernel's backlog, or closing) is the server's
// matter. Pure: the time comes as an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/network.h"
#include "util/clock.h"
#include "util/pace.h"

namespace mig {

// "Unknown" is a connection whose client has not said who it is.
struct ConnectionLimits {
  // At these newcomers wait in the kernel's backlog, which costs us nothing.
  std::size_t total = 50'000;
  std::size_t unknown = 512;
  std::uint64_t rate = 2000;  // new ones a second; 0: no bound
  // At these a newcomer is closed at once: whoever has many must not make others wait.
  std::size_t per_address = 10'000;
  std::size_t unknown_per_address = 64;
  std::uint64_t rate_per_address = 100;
  // What was not used of a rate in this time may be used at once.
  std::chrono::milliseconds burst{5000};
  // Not bounded per address: gateways behind which many stand.
  std::vector<Network> exempt{Network::Loopback4(), Network::Loopback6()};
};

class ConnectionBounds {
 public:
  enum class Verdict : std::uint8_t { kAdmitted, kTooMany, kTooManyUnknown, kTooFast };

  explicit ConnectionBounds(ConnectionLimits limits);

  // True while no newcomer can be taken; it ends with Known() or Left().
  bool Full() const { return total_ >= limits_.total || unknown_ >= limits_.unknown; }
  // Zero, or for how long no newcomer is to be taken because they come too fast.
  std::chrono::milliseconds Pause(UtcTime now) const { return pace_.Wait(rate_, now); }

  // A newcomer, counted if it is admitted.
  Verdict Admit(const AddressBytes& address, UtcTime now);
  // Its client has said who it is.
  void Known(const AddressBytes& address);
  // A connection that was admitted is gone.
  void Left(const AddressBytes& address, bool known);

  std::size_t total() const { return total_; }
  std::size_t unknown() const { return unknown_; }
  // Sources that are remembered.
  std::size_t sources() const { return sources_.size(); }

 private:
  struct Count {
    std::uint32_t total = 0;
    std::uint32_t unknown = 0;
    Pace pace;
  };

  bool Exempt(const AddressBytes& address) const;
  void Forget(UtcTime now);

  const ConnectionLimits limits_;
  const Rate rate_;
  const Rate rate_per_address_;
  std::size_t total_ = 0;
  std::size_t unknown_ = 0;
  Pace pace_;
  std::unordered_map<Source, Count> sources_;
  std::size_t forget_at_;
};

// For logs: "too many connections from this address".
std::string_view VerdictText(ConnectionBounds::Verdict verdict);

}  // namespace mig
