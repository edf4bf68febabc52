// The netstat module: addresses, neighbours, connections and listeners of a machine, and whose they
// are. This file declares it, joins what was found and prints it; questions are
// netstat/question.h, what the kernel says is netstat/survey.h.
#include <algorithm>

#include "modules/mig_text.h"
#include "modules/module.h"
#include "modules/netstat/question.h"
#include "modules/netstat/survey.h"
#include "os/accounts.h"

namespace mig {
namespace {

using netstat::Question;
using netstat::QuestionKind;
using netstat::Questions;

constexpr Parameter kParameters[] = {
    {.flag = "lm",
     .field = "localmac",
     .type = ParameterType::kTexts,
     .help = "An interface of this machine has such a MAC address; letters in either case.",
     .value_name = "REGEX"},
    {.flag = "li",
     .field = "localip",
     .type = ParameterType::kTexts,
     .help = "This machine has this address, or one of this range.",
     .value_name = "IP[/N]"},
    {.flag = "nm",
     .field = "neighbormac",
     .type = ParameterType::kTexts,
     .help = "A neighbour on the wire has such a MAC address; letters in either case.",
     .value_name = "REGEX"},
    {.flag = "ni",
     .field = "neighborip",
     .type = ParameterType::kTexts,
     .help = "A neighbour has this address, or one of this range; IPv4 and IPv6.",
     .value_name = "IP[/N]"},
    {.flag = "ci",
     .field = "connectedip",
     .type = ParameterType::kTexts,
     .help = "A socket's peer has this address, or one of this range.",
     .value_name = "IP[/N]"},
    {.flag = "cp",
     .field = "connectedport",
     .type = ParameterType::kTexts,
     .help = "A socket's peer has this port, or one of this range: 443, 6660-6669.",
     .value_name = "PORT[-PORT]"},
    {.flag = "lp",
     .field = "listeningport",
     .type = ParameterType::kTexts,
     .help = "TCP listens, or UDP waits, at this port, or at one of this range.",
     .value_name = "PORT[-PORT]"},
    {.flag = "la",
     .field = "listeningip",
     .type = ParameterType::kTexts,
     .help = "The same at this address of the machine: 0.0.0.0 and :: are all of them.",
     .value_name = "IP[/N]"},
    {.flag = "up",
     .field = "unixpath",
     .type = ParameterType::kTexts,
     .help = "A UNIX socket has such a path; an abstract name begins with @.",
     .value_name = "REGEX"},
    {.flag = "raw",
     .field = "rawsockets",
     .type = ParameterType::kFlag,
     .help = "Raw and packet sockets: who builds packets by hand, or sees all that pass.",
     .absent = "false"},
    {.flag = "state",
     .field = "states",
     .type = ParameterType::kTexts,
     .help = "Sockets in this state only; repeat it for several.",
     .value_name = "STATE",
     .choices = netstat::kStateNames},
    {.flag = "proto",
     .field = "protocols",
     .type = ParameterType::kTexts,
     .help = "Sockets of this protocol only; repeat it for several.",
     .value_name = "PROTOCOL",
     .choices = netstat::kProtocolNames},
    {.flag = "exclude",
     .field = "excludeips",
     .type = ParameterType::kTexts,
     .help = "Leave out peers, listeners, neighbours and addresses of this range.",
     .value_name = "IP[/N]"},
    {.flag = "namespaces",
     .field = "namespaces",
     .type = ParameterType::kFlag,
     .help =
         "Look into all network namespaces, those of containers too; else into the agent's own.",
     .absent = "false"},
    {.flag = "matchlimit",
     .field = "matchlimit",
     .type = ParameterType::kInteger,
     .help = "Stop each question after so many finds; 0 no limit.",
     .value_name = "N",
     .max = 1'000'000,
     .absent = "10000",
     .typed = "1000"},
};

// What has been found for each question, in its order.
class Finds {
 public:
  Finds(const Questions& questions, const os::SocketOwners& owners, const os::Accounts& users)
      : questions_(questions), owners_(owners), users_(users), lists_(questions.list.size()) {}

  void Look(const netstat::Survey& survey, const std::string& space) {
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const Question& question = questions_.list[i];
      if (question.about_sockets()) {
        for (const netstat::SeenSocket& seen : survey.sockets) {
          ++examined_;
          if (!question.Fits(seen.socket) || !questions_.Passes(seen.socket)) continue;
          if (!Add(i, OfSocket(seen, space))) break;
        }
      } else if (question.about_neighbours()) {
        for (const os::Neighbour& neighbour : survey.neighbours) {
          ++examined_;
          if (questions_.Excludes(neighbour.address)) continue;
          const bool fits = question.kind == QuestionKind::kNeighbourMac
                                ? question.FitsMac(neighbour.mac)
                                : question.FitsAddress(neighbour.address);
          if (fits && !Add(i, OfNeighbour(neighbour, space))) break;
        }
      } else {
        for (const os::Interface& interface : survey.interfaces) LookAt(i, interface, space);
      }
    }
  }

  json::object Elements() {
    json::object elements;
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const Question& question = questions_.list[i];
      json::value& kind = elements[question.field];
      if (kind.is_null()) kind = json::object();
      // As MIG says "nothing": null.
      kind.get_object()[question.text] =
          lists_[i].empty() ? json::value(nullptr) : json::value(std::move(lists_[i]));
    }
    return elements;
  }

  std::uint64_t examined() const { return examined_; }
  std::uint64_t total() const { return total_; }
  json::array TakeLimited() { return std::move(limited_); }

 private:
  // False: the question has as many as it may.
  bool Add(std::size_t question, json::object element) {
    if (questions_.matchlimit != 0 && lists_[question].size() == questions_.matchlimit) {
      const std::string name =
          questions_.list[question].field + ":" + questions_.list[question].text;
      if (limited_.empty() || limited_.back().as_string() != name) limited_.emplace_back(name);
      return false;
    }
    ++total_;
    lists_[question].push_back(std::move(element));
    return true;
  }

  void LookAt(std::size_t index, const os::Interface& interface, const std::string& space) {
    const Question& question = questions_.list[index];
    ++examined_;
    if (question.kind == QuestionKind::kLocalMac) {
      if (question.FitsMac(interface.mac)) {
        Add(index, {{"localmacaddr", interface.mac},
                    {"interface", json::FromName(interface.name)},
                    {"namespace", space}});
      }
      return;
    }
    for (const os::IpAddress& address : interface.addresses) {
      if (!question.FitsAddress(address) || questions_.Excludes(address)) continue;
      json::object element{{"localaddr", address.Text()}, {"namespace", space}};
      if (!interface.mac.empty()) element["localmacaddr"] = interface.mac;
      if (!interface.name.empty()) element["interface"] = json::FromName(interface.name);
      if (!Add(index, std::move(element))) return;
    }
  }

  static json::object OfNeighbour(const os::Neighbour& neighbour, const std::string& space) {
    json::object element{{"remoteaddr", neighbour.address.Text()}, {"namespace", space}};
    if (!neighbour.mac.empty()) element["remotemacaddr"] = neighbour.mac;
    if (!neighbour.state.empty()) element["state"] = neighbour.state;
    return element;
  }

  json::object OfSocket(const netstat::SeenSocket& seen, const std::string& space) const {
    const os::Socket& socket = seen.socket;
    json::object element{{"protocol", os::SocketProtocolName(socket.protocol)}};
    if (socket.protocol == os::SocketProtocol::kUnix) {
      element["path"] = json::FromName(socket.path);
    } else if (socket.protocol != os::SocketProtocol::kPacket) {
      element["localaddr"] = socket.local.Text();
      element["localport"] = socket.local_port;
      element["remoteaddr"] = socket.remote.Text();
      element["remoteport"] = socket.remote_port;
    }
    element["namespace"] = space;
    if (socket.protocol != os::SocketProtocol::kPacket) {
      element["state"] = os::SocketStateName(socket.state);
    }
    element["inode"] = json::FromUint(socket.inode);
    if (socket.protocol != os::SocketProtocol::kUnix) {  // whose tables do not tell
      element["uid"] = socket.uid;
      if (const std::string* user = users_.NameOf(socket.uid))
        element["user"] = json::FromName(*user);
    }
    element["evidence"] = netstat::EvidenceName(seen.evidence);
    json::array processes;
    if (const auto owners = owners_.by_inode.find(socket.inode); owners != owners_.by_inode.end()) {
      for (const os::SocketOwner& owner : owners->second) {
        processes.push_back(json::object{{"pid", owner.pid},
                                         {"name", json::FromName(owner.name)},
                                         {"executable", json::FromName(owner.executable)}});
      }
    }
    element["processes"] = std::move(processes);
    return element;
  }

  const Questions& questions_;
  const os::SocketOwners& owners_;
  const os::Accounts& users_;
  std::vector<json::array> lists_;
  std::uint64_t examined_ = 0, total_ = 0;
  json::array limited_;
};

json::array ArrayOf(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.push_back(json::FromName(text));
  return list;
}

// Every namespace but our own, through one of the processes in it that still lives.
void LookElsewhere(const os::SocketOwners& owners, const netstat::Wanted& wanted, Finds& finds,
                   netstat::Gaps& gaps) {
  for (const auto& [name, processes] : owners.namespaces) {
    if (name == owners.own_namespace) continue;
    const auto living = std::find_if(processes.begin(), processes.end(), [](int pid) {
      return os::NetTable("/proc/" + std::to_string(pid) + "/net", "dev").has_value();
    });
    if (living == processes.end()) {
      gaps.reasons.push_back(name + ": nobody is left to see it through");
      continue;
    }
    const std::string folder = "/proc/" + std::to_string(*living) + "/net";
    finds.Look(netstat::SurveyThere(folder, name, wanted, gaps), name);
  }
}

Expected<void> CheckNetstat(const json::object& parameters) {
  auto questions = netstat::ParseQuestions(parameters);
  if (!questions) return std::move(questions).error();
  return {};
}

Expected<ModuleResult> RunNetstat(const json::object& parameters, RunContext&) {
  const auto start = std::chrono::steady_clock::now();
  auto questions = netstat::ParseQuestions(parameters);
  if (!questions) return std::move(questions).error();
  netstat::Wanted wanted;
  for (const Question& one : questions->list) {
    wanted.sockets = wanted.sockets || one.about_sockets();
    wanted.neighbours = wanted.neighbours || one.about_neighbours();
    wanted.interfaces = wanted.interfaces || (!one.about_sockets() && !one.about_neighbours());
  }
  netstat::Gaps gaps;
  netstat::Disagreement disagreement;
  os::Accounts users;
  if (auto read = os::ReadAccounts(os::kUsersFile)) users = std::move(*read);
  auto owners = os::ReadSocketOwners(wanted.sockets);
  if (!owners) {
    gaps.reasons.push_back(owners.error().message());
    owners = os::SocketOwners();
  }
  Finds finds(*questions, *owners, users);
  const std::string here = questions->namespaces ? owners->own_namespace : "default";
  finds.Look(netstat::SurveyHere(wanted, disagreement, gaps), here);
  if (owners->unreadable > 0 && (wanted.sockets || questions->namespaces)) {
    gaps.reasons.push_back("the sockets of " + std::to_string(owners->unreadable) +
                           (owners->unreadable == 1 ? " process, " : " processes, the first is ") +
                           owners->first_unreadable);
  }
  if (questions->namespaces) {
    LookElsewhere(*owners, wanted, finds, gaps);
  }

  ModuleResult result;
  result.success = true;
  result.foundanything = finds.total() > 0;
  result.elements = finds.Elements();
  json::array limited = finds.TakeLimited();
  const bool complete = gaps.reasons.empty() && gaps.malformed == 0 && limited.empty();
  json::object statistics{
      {"examined", json::FromUint(finds.examined())},
      {"exectime", DurationText(std::chrono::steady_clock::now() - start)},
      {"totalhits", json::FromUint(finds.total())},
      {"processes", json::FromUint(owners->processes)},
      {"processesunreadable", json::FromUint(owners->unreadable)},
      {"namespaces", questions->namespaces ? owners->namespaces.size() : std::size_t{1}},
      {"malformed", json::FromUint(gaps.malformed)},
      {"notseen", ArrayOf(gaps.reasons)},
      {"matchlimitreached", std::move(limited)},
      {"complete", complete}};
  if (wanted.sockets) {
    statistics["crosscheck"] =
        json::object{{"compared", json::FromUint(disagreement.compared)},
                     {"netlinkonly", json::FromUint(disagreement.netlink_count)},
                     {"procfsonly", json::FromUint(disagreement.files_count)},
                     {"examples", ArrayOf(disagreement.netlink_only)}};
    json::array& examples = statistics["crosscheck"].at("examples").as_array();
    for (const std::string& one : disagreement.files_only) examples.push_back(json::FromName(one));
  }
  result.statistics = std::move(statistics);
  return result;
}

// What endpoints sent is not to be relied on: anything may be missing or of another type.
std::string TextAt(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (auto name = json::ToName(*value)) return *name;
  return json::Write(*value);
}

// " (sshd 812 /usr/sbin/sshd, root)": whose a socket is.
std::string WhoseIs(const json::object& element) {
  std::string text;
  const json::value* processes = element.if_contains("processes");
  if (processes != nullptr && processes->is_array()) {
    for (const json::value& item : processes->get_array()) {
      const json::object* process = item.if_object();
      if (process == nullptr) continue;
      text += (text.empty() ? "" : "; ") + TextAt(*process, "name") + " " + TextAt(*process, "pid");
      const std::string executable = TextAt(*process, "executable");
      if (!executable.empty()) text += " " + executable;
    }
  }
  const std::string user = TextAt(element, "user");
  const std::string owner = user.empty() ? TextAt(element, "uid") : user;
  if (!owner.empty()) text += (text.empty() ? "user " : ", user ") + owner;
  return text.empty() ? text : " (" + text + ")";
}

// The line of one find; MIG's words, with more behind them.
std::string LineOf(std::string_view kind, const std::string& query, const json::object& element) {
  const auto at = [&](std::string_view key) { return TextAt(element, key); };
  const auto named = [&](std::string_view name) {
    return " for netstat " + std::string(name) + ":'" + query + "'";
  };
  std::string line;
  if (kind == "localmac") line = "found local mac " + at("localmacaddr") + named(kind);
  if (kind == "localip") line = "found local ip " + at("localaddr") + named(kind);
  if (kind == "neighbormac") {
    line = "found neighbor mac " + at("remotemacaddr") + " " + at("remoteaddr") + named(kind);
  }
  if (kind == "neighborip") {
    line =
        "found neighbor IP " + at("remoteaddr") + " " + at("remotemacaddr") + named("neighborIP");
  }
  if (kind == "connectedip" || kind == "connectedport") {
    line = "found connected tuple " + at("remoteaddr") + ":" + at("remoteport") +
           " with local tuple " + at("localaddr") + ":" + at("localport") + named(kind);
  }
  if (kind == "listeningport" || kind == "listeningip") {
    line = "found listening port " + at("localport") + named(kind) + " at " + at("localaddr");
  }
  if (kind == "unixpath") line = "found unix socket " + at("path") + named(kind);
  if (kind == "rawsockets") {
    line = "found " + at("protocol") + " socket";
    if (at("protocol") == "raw") line += " of protocol " + at("localport");
    line += named(kind);
  }
  if (line.empty()) line = "found " + json::Write(json::value(element)) + named(kind);
  const std::string space = at("namespace");
  if (!space.empty() && space != "default") {
    line += " namespace:[" + space + "]";
  }
  if (const std::string state = at("state"); !state.empty()) line += " " + state;
  if (const std::string protocol = at("protocol"); protocol == "tcp" || protocol == "udp") {
    line += " " + protocol;
  }
  return line + WhoseIs(element);
}

std::vector<std::string> PrintNetstat(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  const json::object* kinds = elements.if_object();
  if (kinds == nullptr) return lines;
  for (const auto& kind : *kinds) {
    if (!kind.value().is_object()) continue;
    for (const auto& query : kind.value().get_object()) {
      const std::string text(query.key());
      const json::array* finds = query.value().if_array();
      if (finds == nullptr || finds->empty()) {
        if (!found_only) {
          lines.push_back("did not find anything for netstat " + std::string(kind.key()) + ":'" +
                          text + "'");
        }
        continue;
      }
      for (const json::value& item : *finds) {
        if (const json::object* element = item.if_object()) {
          lines.push_back(LineOf(kind.key(), text, *element));
        }
      }
    }
  }
  return lines;
}

std::vector<std::string> PrintNetstatStatistics(const json::value& statistics) {
  std::vector<std::string> lines;
  const json::object* fields = statistics.if_object();
  if (fields == nullptr) return lines;
  lines.push_back("Statistics: total hits " + TextAt(*fields, "totalhits") + " examined " +
                  TextAt(*fields, "examined") + " items exectime " + TextAt(*fields, "exectime"));
  const auto list = [&](const json::object& object, std::string_view field,
                        const std::string& what) {
    const json::value* texts = object.if_contains(field);
    if (texts == nullptr || !texts->is_array()) return;
    for (const json::value& text : texts->get_array()) {
      const auto name = json::ToName(text);
      if (name) lines.push_back(what + *name);
    }
  };
  const json::value* crosscheck = fields->if_contains("crosscheck");
  if (crosscheck != nullptr && crosscheck->is_object()) {
    const json::object& check = crosscheck->get_object();
    const std::string netlink = TextAt(check, "netlinkonly");
    const std::string files = TextAt(check, "procfsonly");
    if (netlink != "0" || files != "0") {
      lines.push_back("Cross-check: of " + TextAt(check, "compared") + " sockets " + netlink +
                      " are in netlink's answer alone and " + files +
                      " in /proc alone: something may be hiding them.");
      list(check, "examples", "  ");
    }
  }
  list(*fields, "notseen", "Not seen: ");
  list(*fields, "matchlimitreached", "Stopped at its limit: ");
  const json::value* complete = fields->if_contains("complete");
  if (complete != nullptr && complete->is_bool() && complete->get_bool()) {
    lines.emplace_back("Complete: all that the questions cover was looked at.");
  }
  return lines;
}

// Whom a machine talks to, and who talks: MIG masked the first alone.
void MaskNetstat(json::value& elements) {
  json::object* kinds = elements.if_object();
  if (kinds == nullptr) return;
  for (auto& kind : *kinds) {
    if (!kind.value().is_object()) continue;
    for (auto& query : kind.value().get_object()) {
      if (!query.value().is_array()) continue;
      for (json::value& item : query.value().get_array()) {
        json::object* element = item.if_object();
        if (element == nullptr) continue;
        for (const char* field : {"remoteaddr", "remotemacaddr", "user", "path"}) {
          if (element->contains(field)) (*element)[field] = "masked";
        }
        json::value* processes = element->if_contains("processes");
        if (processes == nullptr || !processes->is_array()) continue;
        for (json::value& process : processes->get_array()) {
          if (!process.is_object()) continue;
          for (const char* field : {"name", "executable"}) {
            if (process.get_object().contains(field)) process.get_object()[field] = "masked";
          }
        }
      }
    }
  }
}

void MaskSummaryOfNetstat(ModuleResult& summary) {
  MaskNetstat(summary.elements);
  if (!summary.statistics.is_object()) return;
  json::object& statistics = summary.statistics.get_object();
  json::value* crosscheck = statistics.if_contains("crosscheck");
  if (crosscheck != nullptr && crosscheck->is_object()) {
    crosscheck->get_object()["examples"] = json::array();
  }
}

}  // namespace

extern const Module kNetstatModule;
constinit const Module kNetstatModule = {
    .name = "netstat",
    .summary = "finds addresses, neighbours, connections and listeners, and whose they are",
    .example = "-ci 203.0.113.0/24 -lp 4444",
    .parameters = kParameters,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kReadProcesses | os::Right::kReadSockets,
    .privacy = "addresses of peers, users, paths of UNIX sockets, names of processes",
    .check = CheckNetstat,
    .run = RunNetstat,
    .print = PrintNetstat,
    .print_statistics = PrintNetstatStatistics,
    .mask_summary = MaskSummaryOfNetstat,
};

}  // namespace mig
