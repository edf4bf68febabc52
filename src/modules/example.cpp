// The example module: small, harmless, and complete; the one to copy from. It tells the machine's
// name and addresses and looks up names, as MIG's module of that name.
#include "modules/module.h"
#include "os/environment.h"
#include "os/name_lookup.h"

namespace mig {
namespace {

constexpr Parameter kParameters[] = {
    {.flag = "gethostname",
     .field = "gethostname",
     .type = ParameterType::kFlag,
     .help = "The machine's name, fully qualified where it knows it.",
     .absent = "false"},
    {.flag = "getaddresses",
     .field = "getaddresses",
     .type = ParameterType::kFlag,
     .help = "The machine's addresses, loopback left out.",
     .absent = "false"},
    {.flag = "lookuphost",
     .field = "lookuphost",
     .type = ParameterType::kTexts,
     .help = "Looks a name up with the machine's own resolver.",
     .value_name = "NAME"},
};

constexpr std::size_t kMaxLookups = 100;  // each may wait seconds for an answer
constexpr std::size_t kMaxNameBytes = 253;

const json::array* Lookups(const json::object& parameters) {
  const json::value* names = parameters.if_contains("lookuphost");
  return names == nullptr || names->is_null() ? nullptr : &names->get_array();
}

bool Asked(const json::object& parameters, std::string_view flag) {
  const json::value* value = parameters.if_contains(flag);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Expected<void> CheckExample(const json::object& parameters) {
  const json::array* names = Lookups(parameters);
  if (names == nullptr) return {};
  if (names->size() > kMaxLookups) {
    return Error(Errc::kInvalid, "lookuphost: more than " + std::to_string(kMaxLookups) + " names");
  }
  for (const json::value& name : *names) {
    const std::string_view text = name.get_string();
    bool good = !text.empty() && text.size() <= kMaxNameBytes;
    for (const char c : text) {
      good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_' || c == ':');
    }
    if (!good) {
      return Error(Errc::kInvalid, "lookuphost: `" + std::string(text) + "` is not a host name");
    }
  }
  return {};
}

Expected<ModuleResult> RunExample(const json::object& parameters, RunContext&) {
  ModuleResult result;
  json::object elements;
  std::size_t found = 0;
  if (Asked(parameters, "gethostname")) {
    elements["hostname"] = os::HostName();
    ++found;
  }
  if (Asked(parameters, "getaddresses")) {
    json::array& addresses = elements["addresses"].emplace_array();
    for (const std::string& address : os::HostAddresses()) addresses.emplace_back(address);
    found += addresses.size();
  }
  if (const json::array* names = Lookups(parameters)) {
    json::object& hosts = elements["lookeduphost"].emplace_object();
    for (const json::value& name : *names) {
      json::array addresses;
      auto looked_up = os::LookUpHost(std::string(name.get_string()));
      if (!looked_up) {
        result.errors.push_back(looked_up.error().message());
      } else {
        for (const os::SocketAddress& address : *looked_up) addresses.emplace_back(address.text);
      }
      found += addresses.size();
      hosts[name.get_string()] = std::move(addresses);
    }
  }
  result.foundanything = found > 0;
  result.success = true;
  result.elements = std::move(elements);
  result.statistics = json::object{{"stufffound", found}};
  return result;
}

std::string TextOf(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::Write(value);
}

// Reads what an endpoint sent, so it checks every type.
std::vector<std::string> PrintExample(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  const json::object* fields = elements.if_object();
  if (fields == nullptr) return lines;
  if (const json::value* hostname = fields->if_contains("hostname")) {
    lines.push_back("hostname is " + TextOf(*hostname));
  }
  if (const json::value* addresses = fields->if_contains("addresses");
      addresses != nullptr && addresses->is_array()) {
    for (const json::value& address : addresses->get_array()) {
      lines.push_back("address is " + TextOf(address));
    }
  }
  if (const json::value* hosts = fields->if_contains("lookeduphost");
      hosts != nullptr && hosts->is_object()) {
    for (const auto& host : hosts->get_object()) {
      if (!host.value().is_array()) continue;
      for (const json::value& address : host.value().get_array()) {
        lines.push_back("looked up host " + std::string(host.key()) + " has IP " + TextOf(address));
      }
      if (host.value().get_array().empty() && !found_only) {
        lines.push_back("looked up host " + std::string(host.key()) + " has no IP");
      }
    }
  }
  return lines;
}

std::vector<std::string> PrintStatistics(const json::value& statistics) {
  const json::value* found = statistics.get_object().if_contains("stufffound");
  if (found == nullptr) return {};
  return {"stat: " + TextOf(*found) + " stuff found"};
}

void MaskSummaryOfExample(ModuleResult& summary) {
  if (!summary.elements.is_object()) return;
  json::object& elements = summary.elements.get_object();
  if (elements.contains("hostname")) elements["hostname"] = "masked";
  if (json::value* addresses = elements.if_contains("addresses");
      addresses != nullptr && addresses->is_array()) {
    for (json::value& address : addresses->get_array()) address = "masked";
  }
}

}  // namespace

extern const Module kExampleModule;
constinit const Module kExampleModule = {
    .name = "example",
    .summary = "tells a machine's name and addresses, and looks up names",
    .example = "-gethostname -getaddresses -lookuphost www.example.net",
    .parameters = kParameters,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kNetwork,
    .privacy = "the machine's name and addresses",
    .check = CheckExample,
    .run = RunExample,
    .print = PrintExample,
    .print_statistics = PrintStatistics,
    .mask_summary = MaskSummaryOfExample,
};

}  // namespace mig
