// What a run of the netstat module is asked: questions of seven kinds, each with the text that was
// asked with, and what all of them keep to. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "modules/file/pattern.h"
#include "os/ip_address.h"
#include "os/socket_tables.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::netstat {

enum class QuestionKind {
  kLocalMac,
  kLocalIp,
  kNeighbourMac,
  kNeighbourIp,
  kConnectedIp,
  kConnectedPort,
  kListeningPort,
  kListeningIp,
  kUnixPath,
  kRaw,
};

struct Question {
  QuestionKind kind = QuestionKind::kLocalIp;
  std::string field;  // of the parameters, and of the answer: "localmac"
  std::string text;   // as asked: "192.0.2.0/24"
  std::shared_ptr<const file::BytePattern> pattern;  // of MACs and paths
  std::optional<os::IpRange> range;
  std::uint16_t least_port = 0, most_port = 0;

  // Whether a socket is an answer, the run's filters aside.
  bool Fits(const os::Socket& socket) const;
  bool FitsMac(const std::string& mac) const;
  bool FitsAddress(const os::IpAddress& address) const { return range->Contains(address); }
  bool about_sockets() const { return kind >= QuestionKind::kConnectedIp; }
  bool about_neighbours() const {
    return kind == QuestionKind::kNeighbourMac || kind == QuestionKind::kNeighbourIp;
  }
};

struct Questions {
  std::vector<Question> list;
  std::set<os::SocketState> states;        // empty: any
  std::set<os::SocketProtocol> protocols;  // empty: any
  std::vector<os::IpRange> excluded;
  bool namespaces = false;       // all network namespaces, not only the agent's own
  std::uint64_t matchlimit = 0;  // finds of each question; 0: no limit

  // Whether a socket passes the filters: protocol, state, and neither end is excluded.
  bool Passes(const os::Socket& socket) const;
  bool Excludes(const os::IpAddress& address) const;
};

// Checked parameters. Error: kInvalid, naming the field and the value.
Expected<Questions> ParseQuestions(const json::object& parameters);

// What `states` and `protocols` may name.
inline constexpr std::string_view kStateNames[] = {
    "established", "syn-sent",   "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
    "close",       "close-wait", "last-ack", "listen",     "closing",    "new-syn-recv"};
inline constexpr std::string_view kProtocolNames[] = {"tcp", "udp", "raw", "unix", "packet"};

}  // namespace mig::netstat
