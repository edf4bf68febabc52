#include "roles/client/machine_list.h"

#include <algorithm>
#include <map>

#include "cli/shown_audience.h"
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

Expected<std::vector<cli::ShownAgent>> MachinesOf(cli::ApiClient& api, const Action& action) {
  auto shown = api.GetTargets(action.target);
  if (!shown || !action.audience) return shown;
  auto ids = api.GetAudience(action.id);
  if (!ids) return std::move(ids).error();
  auto agents = cli::CheckAudience(*ids, *action.audience);
  if (!agents) return std::move(agents).error();
  std::map<AgentId, cli::ShownAgent> known;
  for (cli::ShownAgent& agent : *shown) known.emplace(agent.id, std::move(agent));
  std::vector<cli::ShownAgent> machines;
  for (const AgentId& id : *agents) {
    const auto found = known.find(id);
    // Signed for, but the target does not match it now: it will refuse.
    machines.push_back(found != known.end() ? found->second
                                            : cli::ShownAgent{id, id.Text(), "", "", false});
  }
  return machines;
}

}  // namespace mig
