// The configuration files of a lab's roles, the same that a real deployment has; written anew at
// each start, because ports may change. Pure. Paths in them are relative to the files.
#pragma once

#include <cstdint>
#include <string>

#include "proto/ids.h"

namespace mig::lab {

struct LabAddresses {
  OrgId org;
  std::uint16_t relay_port = 0, api_port = 0;

  std::string ApiUrl() const { return "https://127.0.0.1:" + std::to_string(api_port); }
};

std::string RelayConfigText(const LabAddresses& lab);
std::string SchedulerConfigText(const LabAddresses& lab);
std::string ApiConfigText(const LabAddresses& lab);
std::string ClientConfigText(const LabAddresses& lab);
std::string AgentConfigText(const LabAddresses& lab, const std::string& name);

}  // namespace mig::lab
