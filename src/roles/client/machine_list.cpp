#include "roles/client/machine_list.h"

#include <algorithm>

#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kNamed = 10;
constexpr std::size_t kMostNameBytes = 64;  // a name must not push the others off the screen

}  // namespace

void ShowMachines(const std::vector<cli::ShownAgent>& machines, cli::Terminal& terminal) {
  std::string line = "machines    ";
  if (machines.empty()) line += "none now";
  for (std::size_t i = 0; i < std::min(machines.size(), kNamed); ++i) {
    line += (i == 0 ? "" : ", ") + EscapeForTerminal(Utf8Prefix(machines[i].name, kMostNameBytes));
  }
  if (machines.size() > kNamed) {
    line += " and " + GroupThousands(machines.size() - kNamed) + " more";
  }
  terminal.Data(line + "\n");
}

}  // namespace mig
