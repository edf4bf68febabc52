#include "cli/shown_audience.h"

#include <algorithm>

#include "crypto/merkle.h"
#include "util/text.h"

namespace mig::cli {

Expected<ShownAudience> AudienceOf(const std::vector<ShownAgent>& shown) {
  std::vector<AgentId> ids;
  ids.reserve(shown.size());
  for (const ShownAgent& agent : shown) ids.push_back(agent.id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty()) return Error(Errc::kInvalid, "no machine matches the target");
  if (ids.size() > kMostShown) {
    return Error(Errc::kInvalid, "the target matches " + GroupThousands(ids.size()) +
                                     " machines; one action that changes something reaches at "
                                     "most " +
                                     GroupThousands(kMostShown));
  }
  std::vector<Bytes> leaves;
  leaves.reserve(ids.size());
  ShownAudience audience;
  for (const AgentId& id : ids) {
    leaves.emplace_back(id.View());
    audience.ids += id.View();
  }
  audience.audience = {ids.size(), MerkleTree(leaves).root()};
  return audience;
}

Expected<std::vector<AgentId>> CheckAudience(BytesView ids, const Audience& audience) {
  const auto wrong = [] {
    return Error(Errc::kDenied, "the list of machines that the server hands out is not the signed");
  };
  if (ids.size() != audience.size * AgentId::kBytes || audience.size > kMostShown ||
      audience.size == 0) {
    return wrong();
  }
  std::vector<AgentId> agents;
  std::vector<Bytes> leaves;
  for (std::size_t at = 0; at < ids.size(); at += AgentId::kBytes) {
    leaves.emplace_back(ids.substr(at, AgentId::kBytes));
    agents.push_back(*AgentId::FromBytes(leaves.back()));
    if (agents.size() > 1 && !(agents[agents.size() - 2] < agents.back())) return wrong();
  }
  if (MerkleTree(leaves).root() != audience.root) return wrong();
  return agents;
}

}  // namespace mig::cli
