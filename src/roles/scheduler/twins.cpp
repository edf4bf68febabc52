#include "roles/scheduler/twins.h"

#include "util/json.h"

namespace mig::scheduler {
namespace {

constexpr std::chrono::hours kOpenFor{24};

}  // namespace

std::vector<store::NewProposal> ProposeForTwins(std::span<const store::TwinRow> twins,
                                                UtcTime now) {
  std::vector<store::NewProposal> proposals;
  if (twins.size() < 2) return proposals;
  const store::TwinRow& survivor = twins.back();
  for (const store::TwinRow& older : twins.first(twins.size() - 1)) {
    store::NewProposal proposal;
    proposal.subject = "twin:" + older.id.Text() + ":" + std::to_string(older.pid);
    proposal.proposer = "scheduler";
    proposal.kind = Kind::kAdmin;
    proposal.name = "end a second agent on one machine";
    proposal.target = "id = '" + survivor.id.Text() + "'";
    proposal.operations = json::Write(json::array{json::object{
        {"module", "agentdestroy"},
        {"parameters",
         {{"pid", json::FromUint(older.pid)}, {"started", FormatRfc3339(older.started)}}}}});
    proposal.reason = "Agents " + older.id.Text() + " and " + survivor.id.Text() +
                      " run on one machine; the second, which began later, would end process " +
                      std::to_string(older.pid) + " of the first.";
    proposal.expires = now + kOpenFor;
    proposals.push_back(std::move(proposal));
  }
  return proposals;
}

}  // namespace mig::scheduler
