// The ping module: can this machine reach another, by ICMP, TCP or UDP. Parameters and answers are
// MIG's; where that said "found" for silence, or took anybody's ICMP for an answer, this does not.
#include <chrono>
#include <thread>

#include "modules/icmp_echo.h"
#include "modules/mig_text.h"
#include "modules/module.h"
#include "os/name_lookup.h"
#include "os/reach.h"

namespace mig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kProtocols[] = {"icmp", "tcp", "udp"};

constexpr Parameter kParameters[] = {
    {.flag = "d",
     .field = "destination",
     .help = "The host: a name or an address, also [2001:db8::1].",
     .value_name = "HOST",
     .required = true},
    {.flag = "dp",
     .field = "destinationport",
     .type = ParameterType::kInteger,
     .help = "The port, for tcp and udp; -1 is none.",
     .value_name = "PORT",
     .min = -1,
     .max = 65'535,
     .absent = "-1"},
    {.flag = "p",
     .field = "protocol",
     .help = "How to ask.",
     .value_name = "PROTOCOL",
     .absent = "icmp",
     .choices = kProtocols},
    {.flag = "c",
     .field = "count",
     .type = ParameterType::kInteger,
     .help = "How often, with a tenth of a second in between.",
     .min = 1,
     .max = 100,
     .absent = "3"},
    {.flag = "t",
     .field = "timeout",
     .type = ParameterType::kInteger,
     .help = "Seconds to wait for each answer.",
     .value_name = "SECONDS",
     .min = 1,
     .max = 60,
     .absent = "5"},
};

// What MIG's clients know these latencies as: never change them.
constexpr int kTimedOut = 9'999'999;
constexpr int kRefused = -1;
constexpr int kUnknown = 0;

constexpr milliseconds kPause{100};
constexpr std::size_t kMaxHostBytes = 255;
constexpr std::size_t kPayloadBytes = 16;

struct Question {
  std::string destination;
  std::string protocol;
  std::int64_t port = -1;
  std::int64_t count = 3;
  seconds timeout{5};
};

Question QuestionFrom(const json::object& parameters) {
  const auto text = [&](std::string_view key, std::string fallback) {
    const json::value* value = parameters.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : fallback;
  };
  const auto number = [&](std::string_view key, std::int64_t fallback) {
    const json::value* value = parameters.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : fallback;
  };
  Question question;
  question.destination = text("destination", "");
  question.protocol = text("protocol", "icmp");
  question.port = number("destinationport", -1);
  question.count = number("count", 3);
  question.timeout = seconds(number("timeout", 5));
  return question;
}

Expected<void> CheckPing(const json::object& parameters) {
  const Question question = QuestionFrom(parameters);
  bool good = !question.destination.empty() && question.destination.size() <= kMaxHostBytes;
  for (const char c : question.destination) good = good && c > ' ' && c < 0x7F;
  if (!good) return Error(Errc::kInvalid, "destination: is neither a host name nor an address");
  if (question.protocol == "icmp" && question.port > 0) {
    return Error(Errc::kInvalid, "destinationport: icmp knows no ports");
  }
  if (question.protocol != "icmp" && question.port < 1) {
    return Error(Errc::kInvalid, "destinationport: " + question.protocol + " needs one, 1..65535");
  }
  return {};
}

std::uint16_t RandomId() {
  const Bytes bytes = os::RandomBytes(2);
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                    static_cast<unsigned char>(bytes[1]));
}

os::ReachOutcome ReachByIcmp(os::IcmpSocket& socket, const os::SocketAddress& address,
                             const EchoRequest& request, milliseconds time_limit) {
  const auto start = std::chrono::steady_clock::now();
  os::ReachOutcome outcome;
  const auto failed = [&](const Error& error) {
    // The kernel knows that no way leads there; that is an answer too.
    const bool no_way = error.message().find("unreachable") != std::string::npos;
    outcome.reached = no_way ? os::Reached::kRefused : os::Reached::kFailed;
    outcome.reason = error.message();
    return outcome;
  };
  if (auto sent = socket.Send(address, EncodeEchoRequest(request)); !sent) {
    return failed(sent.error());
  }
  for (;;) {
    auto packet = socket.Receive(start + time_limit);
    if (!packet) return failed(packet.error());
    outcome.latency = std::chrono::steady_clock::now() - start;
    if (!packet->has_value()) {
      outcome.reached = os::Reached::kSilence;
      return outcome;
    }
    switch (ReadEchoAnswer(**packet, request, socket.with_ip_header(), socket.own_id())) {
      case EchoAnswer::kReply:
        outcome.reached = os::Reached::kYes;
        return outcome;
      case EchoAnswer::kUnreachable:
        outcome.reached = os::Reached::kRefused;
        outcome.reason = "a router on the way says that it is unreachable";
        return outcome;
      case EchoAnswer::kNotOurs:
        break;  // somebody else's; the time goes on
    }
  }
}

json::value LatencyValue(const os::ReachOutcome& outcome) {
  switch (outcome.reached) {
    case os::Reached::kYes: {
      // Microseconds are as much as this can tell. Never 0, which means something else.
      const auto us = std::chrono::ceil<std::chrono::microseconds>(outcome.latency).count();
      return static_cast<double>(std::max<std::int64_t>(us, 1)) / 1000.0;
    }
    case os::Reached::kRefused:
      return kRefused;
    case os::Reached::kSilence:
      return kTimedOut;
    case os::Reached::kFailed:
      return kUnknown;
  }
  return kUnknown;
}

std::string Resolved(const Question& question, const os::SocketAddress& address) {
  std::string text = question.destination;
  if (question.protocol != "icmp") text += ":" + std::to_string(question.port);
  return text + " (" + address.text + ")";
}

Expected<ModuleResult> RunPing(const json::object& parameters, RunContext&) {
  const auto start = std::chrono::steady_clock::now();
  const Question question = QuestionFrom(parameters);
  const std::uint16_t port =
      question.port > 0 ? static_cast<std::uint16_t>(question.port) : std::uint16_t{0};
  auto addresses = os::LookUpHost(question.destination, port);
  if (!addresses) return std::move(addresses).error();
  const os::SocketAddress& address = addresses->front();

  std::optional<os::IcmpSocket> socket;
  if (question.protocol == "icmp") {
    auto opened = os::IcmpSocket::Open(address.v6);
    if (!opened) return std::move(opened).error();
    socket = std::move(*opened);
  }
  EchoRequest request{address.v6, RandomId(), 0, os::RandomBytes(kPayloadBytes)};

  ModuleResult result;
  json::array latencies;
  json::array failures;
  std::int64_t answered = 0;
  for (std::int64_t i = 0; i < question.count; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    os::ReachOutcome outcome;
    if (question.protocol == "tcp") {
      outcome = os::ReachByTcp(address, question.timeout);
    } else if (question.protocol == "udp") {
      outcome = os::ReachByUdp(address, question.timeout);
    } else {
      request.sequence = static_cast<std::uint16_t>(i + 1);
      outcome = ReachByIcmp(*socket, address, request, question.timeout);
    }
    latencies.push_back(LatencyValue(outcome));
    if (outcome.reached == os::Reached::kYes) ++answered;
    // Silence of a UDP port is what most open ones give, so it counts as found, as in MIG.
    result.foundanything = result.foundanything || outcome.reached == os::Reached::kYes ||
                           (question.protocol == "udp" && outcome.reached == os::Reached::kSilence);
    if (!outcome.reason.empty()) {
      failures.emplace_back("ping #" + std::to_string(i + 1) + ": " + outcome.reason);
    }
  }
  result.success = true;
  json::object elements{{"latencies", std::move(latencies)},
                        {"protocol", question.protocol},
                        {"resolvedhost", Resolved(question, address)},
                        {"failures", nullptr}};
  if (!failures.empty()) elements["failures"] = std::move(failures);
  result.elements = std::move(elements);
  result.statistics =
      json::object{{"sent", question.count},
                   {"answered", answered},
                   {"exectime", DurationText(std::chrono::steady_clock::now() - start)}};
  return result;
}

std::string TextAt(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::Write(*value);
}

// A latency in milliseconds, without the exponent that JSON may have.
std::string Milliseconds(double latency) {
  std::string text = std::to_string(latency);  // always six digits behind the point
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + "ms";
}

std::string PingText(double latency, bool udp) {
  if (latency == kTimedOut) {
    return udp ? "may have succeeded (no udp response)" : "failed, connection timed out";
  }
  if (latency == kRefused) return "failed, target was unreachable";
  if (latency == kUnknown) return "failed, reason unknown";
  return "succeeded in " + Milliseconds(latency);
}

std::vector<std::string> PrintPing(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  const json::object* fields = elements.if_object();
  const json::value* latencies = fields == nullptr ? nullptr : fields->if_contains("latencies");
  if (latencies == nullptr || !latencies->is_array()) return lines;
  const std::string protocol = TextAt(*fields, "protocol");
  bool reached = false;
  std::vector<std::string> pings;
  for (const json::value& value : latencies->get_array()) {
    const double latency = value.is_number() ? value.to_number<double>() : kUnknown;
    const bool timed_out = latency == kTimedOut;
    reached = reached || (latency > 0 && (!timed_out || protocol == "udp"));
    pings.push_back("ping #" + std::to_string(pings.size() + 1) + " " +
                    PingText(latency, protocol == "udp"));
  }
  if (!reached && found_only) return lines;
  const std::string host = protocol + " ping of " + TextAt(*fields, "resolvedhost");
  lines.push_back(reached ? host + " succeeded. Target is reachable."
                          : host + " failed. Target is not reachable.");
  for (std::string& ping : pings) lines.push_back(std::move(ping));
  if (const json::value* failures = fields->if_contains("failures");
      failures != nullptr && failures->is_array() && !found_only) {
    for (const json::value& failure : failures->get_array()) {
      lines.push_back(failure.is_string() ? std::string(failure.get_string())
                                          : json::Write(failure));
    }
  }
  return lines;
}

}  // namespace

extern const Module kPingModule;
constinit const Module kPingModule = {
    .name = "ping",
    .summary = "tells whether a machine can reach another, by ICMP, TCP or UDP",
    .example = "-d www.example.net -p tcp -dp 443",
    .parameters = kParameters,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kNetwork,
    .check = CheckPing,
    .run = RunPing,
    .print = PrintPing,
};

}  // namespace mig
