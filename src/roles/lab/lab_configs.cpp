#include "roles/lab/lab_configs.h"

namespace mig::lab {
namespace {

constexpr const char* kWrittenBy =
    "# Written by `mig lab` at each start: changes are lost. examples/config explains every key.\n";

// All on one machine: nobody is hurt when everybody comes back at once.
std::string Relays(const LabAddresses& lab) {
  return "relays:\n  - {host: 127.0.0.1, port: " + std::to_string(lab.relay_port) +
         "}\nreconnect_longest: 1s\n";
}

constexpr const char* kLog = "log: {level: info, format: text}\n";
constexpr const char* kPolicy =
    "policy:\n  roots: [../trust/root.1.json]\n  policy: ../trust/policy.json\n"
    "  freshness: ../trust/freshness.json\n";

}  // namespace

std::string RelayConfigText(const LabAddresses& lab) {
  return std::string(kWrittenBy) + "listen: 127.0.0.1:" + std::to_string(lab.relay_port) +
         "\nstore: ../data/relay.db\n"
         "tls:\n"
         "  certificate: ../tls/relay.crt\n"
         "  key: ../tls/relay.key\n"
         "  agents_ca: ../tls/agents-ca.crt\n"
         "  servers_ca: ../tls/servers-ca.crt\n" +
         kLog;
}

std::string SchedulerConfigText(const LabAddresses& lab) {
  return std::string(kWrittenBy) +
         "name: scheduler-1\n"
         "store: ../data/server.db\n" +
         Relays(lab) +
         "tls:\n"
         "  certificate: ../tls/scheduler.crt\n"
         "  key: ../tls/scheduler.key\n"
         "  ca: ../tls/servers-ca.crt\n" +
         kPolicy + kLog;
}

std::string ApiConfigText(const LabAddresses& lab) {
  return std::string(kWrittenBy) +
         "name: api-1\nlisten: 127.0.0.1:" + std::to_string(lab.api_port) +
         "\naddress: " + lab.ApiUrl() + "\nstore: ../data/server.db\n" + Relays(lab) +
         "tls:\n"
         "  certificate: ../tls/api.crt\n"
         "  key: ../tls/api.key\n"
         "  ca: ../tls/servers-ca.crt\n"
         "agents_ca:\n"
         "  certificate: ../tls/agents-ca.crt\n"
         "  key: ../tls/agents-ca.key\n"
         "limits: {copy_silence: 10s}\n" +
         kPolicy + kLog;
}

std::string ClientConfigText(const LabAddresses& lab) {
  return std::string(kWrittenBy) + "api: " + lab.ApiUrl() +
         "\nca: ../tls/servers-ca.crt\n"
         "key: ../keys/investigator.key\n"
         "org: " +
         lab.org.Text() + "\n";
}

std::string AgentConfigText(const LabAddresses& lab, const std::string& name) {
  return std::string(kWrittenBy) + "directory: ../data/" + name + "\nname: " + name +
         "\napi: " + lab.ApiUrl() + "\n" + Relays(lab) + "org: " + lab.org.Text() +
         "\nca: ../tls/servers-ca.crt\n"
         "token_file: ../keys/enrolment.token\n"
         "many_on_one_host: true\n" +
         kLog;
}

}  // namespace mig::lab
