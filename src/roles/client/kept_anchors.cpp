#include "roles/client/kept_anchors.h"

#include "cli/client_config.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kMostRemarks = 5;

}  // namespace

Expected<cli::AnchorStore> KeptAnchors() {
  auto folder = cli::UserStateFolder(cli::ProcessEnvironment);
  if (!folder) return std::move(folder).error();
  return cli::AnchorStore(*folder / "anchors.jsonl");
}

void KeepAnchors(const cli::AnchorGatherer& seen, const std::string& holder,
                 cli::Terminal& terminal) {
  auto store = KeptAnchors();
  auto contradictions = store
                            ? store->Remember(seen, holder)
                            : Expected<std::vector<cli::AnchorStore::Contradiction>>(store.error());
  if (!contradictions) {
    terminal.Remark("What the agents say of their ledgers was not kept: " +
                    contradictions.error().message());
    return;
  }
  std::size_t told = 0;
  for (const auto& [agent, before, now] : *contradictions) {
    if (++told > kMostRemarks) break;
    terminal.Remark(
        "agent " + agent.Text() + ": its ledger " +
            (before.length > now.length
                 ? "went back from " + std::to_string(before.length) + " entries to " +
                       std::to_string(now.length)
                 : "has another entry " + std::to_string(now.length) + " than before") +
            ": it was altered, or an old state of the disk was put back, or another machine uses "
            "its identity",
        cli::Style::kRed);
  }
  if (contradictions->size() > kMostRemarks) {
    terminal.Remark("So did the ledgers of " +
                        Count(contradictions->size() - kMostRemarks, "further agent") + ".",
                    cli::Style::kRed);
  }
}

}  // namespace mig
