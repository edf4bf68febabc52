// Whether another machine can be reached: one TCP connection, one UDP datagram, or the socket over
// which ICMP messages go. Each waits at most as long as it is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "os/files.h"
#include "os/name_lookup.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

enum class Reached {
  kYes,      // an answer came
  kRefused,  // an answer that says no: connection refused, unreachable
  kSilence,  // nothing until the time was over
  kFailed,   // it could not be tried
};

struct ReachOutcome {
  Reached reached = Reached::kFailed;
  std::chrono::nanoseconds latency{0};  // until the answer, whichever
  std::string reason;                   // the system's words, for kRefused and kFailed
};

// Opens a connection and closes it at once, without sending anything.
ReachOutcome ReachByTcp(const SocketAddress& address, std::chrono::milliseconds time_limit);

// Sends one empty line and waits for any answer; silence is what an open port often gives.
ReachOutcome ReachByUdp(const SocketAddress& address, std::chrono::milliseconds time_limit);

// For ICMP and ICMPv6. A raw socket where that is allowed, else a ping socket (icmp(7),
// net.ipv4.ping_group_range).
class IcmpSocket {
 public:
  // Error: kDenied with what to do.
  static Expected<IcmpSocket> Open(bool v6);

  Expected<void> Send(const SocketAddress& to, BytesView message);
  // The next packet, whosever it is; empty when the time is over. An unreachable network reported
  // by the kernel is an error.
  Expected<std::optional<Bytes>> Receive(std::chrono::steady_clock::time_point deadline);

  bool with_ip_header() const { return raw_ && !v6_; }
  bool own_id() const { return raw_; }

 private:
  FileDescriptor fd_;
  bool raw_ = false;
  bool v6_ = false;
};

// For ids and payloads that nobody else has. Not for keys.
Bytes RandomBytes(std::size_t size);

}  // namespace mig::os
