#include "modules/netstat/question.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace mig::netstat {
namespace {

struct Kind {
  QuestionKind kind;
  std::string_view field;
};
constexpr Kind kKinds[] = {
    {QuestionKind::kLocalMac, "localmac"},
    {QuestionKind::kLocalIp, "localip"},
    {QuestionKind::kNeighbourMac, "neighbormac"},
    {QuestionKind::kNeighbourIp, "neighborip"},
    {QuestionKind::kConnectedIp, "connectedip"},
    {QuestionKind::kConnectedPort, "connectedport"},
    {QuestionKind::kListeningPort, "listeningport"},
    {QuestionKind::kListeningIp, "listeningip"},
    {QuestionKind::kUnixPath, "unixpath"},
};

std::vector<std::string> Texts(const json::object& fields, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* found = fields.if_contains(name);
  if (found == nullptr || found->is_null()) return texts;
  for (const json::value& item : found->as_array()) texts.emplace_back(item.as_string());
  return texts;
}

bool FlagIn(const json::object& fields, std::string_view name) {
  const json::value* found = fields.if_contains(name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

// "443", "8000-8099"
bool ReadPorts(std::string_view text, Question& question) {
  const auto number = [](std::string_view digits, std::uint16_t* port) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *port);
    return !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
  };
  const std::size_t dash = std::min(text.find('-'), text.size());
  if (!number(text.substr(0, dash), &question.least_port)) return false;
  question.most_port = question.least_port;
  if (dash == text.size()) return true;
  return number(text.substr(dash + 1), &question.most_port) &&
         question.least_port <= question.most_port;
}

Expected<void> ReadValue(Question& question) {
  const auto bad = [&](std::string_view what) {
    return Error(Errc::kInvalid,
                 question.field + ": `" + question.text + "` is not " + std::string(what));
  };
  switch (question.kind) {
    case QuestionKind::kLocalMac:
    case QuestionKind::kNeighbourMac:
    case QuestionKind::kUnixPath: {
      // Addresses of hardware are written in either case.
      const bool path = question.kind == QuestionKind::kUnixPath;
      auto pattern = file::BytePattern::Compile((path ? "" : "(?i)") + question.text);
      if (!pattern) return std::move(pattern).error().During(question.field);
      question.pattern = std::move(*pattern);
      return {};
    }
    case QuestionKind::kConnectedPort:
    case QuestionKind::kListeningPort:
      if (!ReadPorts(question.text, question)) {
        return bad("a port from 0 to 65535, or a range of them like 8000-8099");
      }
      return {};
    case QuestionKind::kRaw:
      return {};
    default:
      question.range = os::IpRange::Parse(question.text);
      if (!question.range) return bad("an address or a range like 192.0.2.0/24 or 2001:db8::/32");
      return {};
  }
}

bool HasPeer(const os::Socket& socket) {
  return socket.protocol != os::SocketProtocol::kUnix &&
         socket.protocol != os::SocketProtocol::kPacket &&
         (socket.remote_port != 0 || !socket.remote.IsAny());
}

bool IsInet(const os::Socket& socket) {
  return socket.protocol == os::SocketProtocol::kTcp || socket.protocol == os::SocketProtocol::kUdp;
}

}  // namespace

bool Question::Fits(const os::Socket& socket) const {
  switch (kind) {
    case QuestionKind::kConnectedIp:
      return HasPeer(socket) && range->Contains(socket.remote);
    case QuestionKind::kConnectedPort:
      return IsInet(socket) && HasPeer(socket) && socket.remote_port >= least_port &&
             socket.remote_port <= most_port;
    case QuestionKind::kListeningPort:
      return IsInet(socket) && socket.Listens() && socket.local_port >= least_port &&
             socket.local_port <= most_port;
    case QuestionKind::kListeningIp:
      return IsInet(socket) && socket.Listens() && range->Contains(socket.local);
    case QuestionKind::kUnixPath:
      return socket.protocol == os::SocketProtocol::kUnix && !socket.path.empty() &&
             pattern->Matches(socket.path);
    case QuestionKind::kRaw:
      return socket.protocol == os::SocketProtocol::kRaw ||
             socket.protocol == os::SocketProtocol::kPacket;
    default:
      return false;
  }
}

bool Question::FitsMac(const std::string& mac) const {
  return !mac.empty() && pattern->Matches(mac);
}

bool Questions::Excludes(const os::IpAddress& address) const {
  return std::any_of(excluded.begin(), excluded.end(),
                     [&](const os::IpRange& range) { return range.Contains(address); });
}

bool Questions::Passes(const os::Socket& socket) const {
  if (!protocols.empty() && !protocols.contains(socket.protocol)) return false;
  if (!states.empty() && !states.contains(socket.state)) return false;
  return excluded.empty() || socket.protocol == os::SocketProtocol::kUnix ||
         !Excludes(HasPeer(socket) ? socket.remote : socket.local);
}

Expected<Questions> ParseQuestions(const json::object& parameters) {
  Questions questions;
  for (const Kind& kind : kKinds) {
    for (std::string& text : Texts(parameters, kind.field)) {
      Question question;
      question.kind = kind.kind;
      question.field = kind.field;
      question.text = std::move(text);
      if (auto read = ReadValue(question); !read) return std::move(read).error();
      questions.list.push_back(std::move(question));
    }
  }
  if (FlagIn(parameters, "rawsockets")) {
    Question question;
    question.kind = QuestionKind::kRaw;
    question.field = "rawsockets";
    question.text = "any";
    questions.list.push_back(std::move(question));
  }
  if (questions.list.empty()) {
    return Error(Errc::kInvalid,
                 "asks for nothing: add a MAC or IP address, a port, a UNIX path or -raw");
  }
  for (const std::string& name : Texts(parameters, "states")) {
    for (std::uint8_t i = 1; i <= std::size(kStateNames); ++i) {
      const auto state = static_cast<os::SocketState>(i);
      if (os::SocketStateName(state) == name) questions.states.insert(state);
    }
  }
  for (const std::string& name : Texts(parameters, "protocols")) {
    for (std::size_t i = 0; i < std::size(kProtocolNames); ++i) {
      if (kProtocolNames[i] == name) {
        questions.protocols.insert(static_cast<os::SocketProtocol>(i));
      }
    }
  }
  const bool about_sockets = std::any_of(questions.list.begin(), questions.list.end(),
                                         [](const Question& one) { return one.about_sockets(); });
  if (!about_sockets && (!questions.states.empty() || !questions.protocols.empty())) {
    return Error(Errc::kInvalid, "states, protocols: there is no question about sockets");
  }
  for (const std::string& text : Texts(parameters, "excludeips")) {
    auto range = os::IpRange::Parse(text);
    if (!range) {
      return Error(Errc::kInvalid, "excludeips: `" + text + "` is not an address or a range");
    }
    questions.excluded.push_back(*range);
  }
  questions.namespaces = FlagIn(parameters, "namespaces");
  const json::value* limit = parameters.if_contains("matchlimit");
  questions.matchlimit =
      limit == nullptr || limit->is_null() ? 10'000 : limit->to_number<std::uint64_t>();
  return questions;
}

}  // namespace mig::netstat
