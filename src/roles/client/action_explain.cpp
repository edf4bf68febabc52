// mig action explain FILE|ID: what an action asks, in plain words; signs nothing.
#include <filesystem>

#include "cli/action_file.h"
#include "cli/explanation.h"
#include "cli/verb.h"
#include "roles/client/action_verb.h"
#include "roles/client/machine_list.h"
#include "roles/client/policy_source.h"
#include "roles/client/review.h"

namespace mig {
namespace {

using cli::ExitStatus;

// One that the server has: who it reaches, and how it differs from what this person saw before.
ExitStatus ExplainStored(const ActionId& id, const PolicyOptions& wanted,
                         const cli::Options& options, cli::Terminal& terminal) {
  auto connection = Connect(wanted.connection, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto policy = FindPolicy(wanted);
  if (!policy) return cli::Fail(terminal, policy.error());
  auto info = connection->api->GetAction(id);
  if (!info) return cli::Fail(terminal, info.error());
  auto review = ReviewShown(*info, id, policy->policy);
  if (!review) return cli::Fail(terminal, review.error());
  auto machines = MachinesOf(*connection->api, review->action);
  if (!machines) return cli::Fail(terminal, machines.error());
  ShowReview(*review, policy->policy, machines->size(), terminal);
  ShowMachines(*machines, terminal);
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

ExitStatus RunActionExplain(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string what;
  PolicyOptions wanted;
  cli::Options options("mig action explain FILE|ID",
                       "Says in plain words what exactly an action asks, and of whom; by whom it "
                       "is signed, and whose\nsignatures are missing. Signs and sends nothing.");
  options.Word("FILE|ID", "a signed action, one of MIG, or the id of one that the server has", true,
               &what);
  wanted.AddTo(options, true);
  options.Example("mig action explain colleague.json", "before you sign it");
  options.Example("mig action explain a.json --policy trust/root.1.json --policy trust/policy.json",
                  "without any server");
  options.Example("mig action explain 3t4uxh5p7ysolzdtxgzkjnvwaq", "one that waits, or ran");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  std::error_code none;
  if (auto id = ActionId::Parse(what); id && !std::filesystem::exists(what, none)) {
    return ExplainStored(*id, wanted, options, terminal);
  }
  auto file = cli::LoadActionFile(what);
  if (!file) return cli::Fail(terminal, file.error());
  auto policy = FindPolicy(wanted);
  if (!policy) {
    // Files that were named must be right; a server may be away.
    if (!wanted.files.empty()) return cli::Fail(terminal, policy.error());
    terminal.Remark("The policy could not be looked at: " + policy.error().message());
  }
  Envelope envelope;
  Action action;
  if (file->envelope) {
    auto decoded = DecodeAction(file->envelope->payload);
    if (!decoded) return cli::Fail(terminal, std::move(decoded).error().During(what));
    envelope = std::move(*file->envelope);
    action = std::move(*decoded);
  } else {
    for (const std::string& remark : file->mig->remarks) terminal.Remark(what + ": " + remark);
    terminal.Remark(
        "An action of MIG, that nobody has signed: as `mig action sign` would make it.");
    cli::Draft draft;
    if (policy) {
      draft.org = policy->policy.policy().org;
      draft.policy = policy->policy.policy().version;
    }
    action = cli::ActionFrom(
        *file->mig, draft, policy ? cli::DefaultLimits(policy->policy.policy().ceilings) : Limits(),
        cli::kDefaultExpire, Now());
    envelope = {std::string(kActionType), EncodeAction(action), {}};
  }
  if (policy) terminal.Remark("By the policy of " + policy->source + ".");
  terminal.Data(cli::Explain(
      cli::Explained{envelope, action, policy ? &policy->policy : nullptr, {}, Now()}));
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
