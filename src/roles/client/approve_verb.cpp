// mig approve ID: a person reads what somebody else signed, or what the server proposes, and signs
// it too.
#include <algorithm>

#include "cli/confirmation.h"
#include "cli/explanation.h"
#include "cli/new_action.h"
#include "cli/sent_actions.h"
#include "cli/shown_audience.h"
#include "cli/verb.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/machine_list.h"
#include "roles/client/policy_remarks.h"
#include "roles/client/review.h"
#include "trust/standing.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::chrono::hours kProposalValidity{1};

ExitStatus TellPosted(const cli::ApiClient::Posted& posted, const Action& action,
                      const std::set<std::string>& people, const TrustedPolicy& policy,
                      cli::Terminal& terminal) {
  if (posted.weight_reached) {
    terminal.Remark("Signed; enough people have, and it goes out. Follow it with: mig results " +
                    action.id.Text() + " -f");
  } else if (posted.status == ActionStatus::kPending) {
    terminal.Remark("Signed; it waits for more signatures until " +
                    FormatRfc3339(action.expireafter) + ".");
    for (const std::string& line : cli::MissingLines(action, people, policy)) {
      terminal.Remark("  missing: " + line);
    }
  }
  if (posted.status != ActionStatus::kPending && IsFinal(posted.status) &&
      posted.status != ActionStatus::kCompleted) {
    terminal.Complain("the action is " + std::string(ActionStatusName(posted.status)));
    return cli::kRefused;
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus ApproveAction(Connection& connection, const cli::ActionInfo& info, const ActionId& id,
                         const TrustedPolicy& policy, bool yes, cli::Terminal& terminal) {
  if (info.progress.status != ActionStatus::kPending) {
    const std::string detail = info.progress.detail.empty() ? "" : ": " + info.progress.detail;
    terminal.Complain("it does not wait for signatures: it is " +
                      std::string(ActionStatusName(info.progress.status)) + detail);
    return cli::kRefused;
  }
  auto review = ReviewShown(info, id, policy);
  if (!review) return cli::Fail(terminal, review.error());
  auto me = PersonOf(*connection.signer, policy);
  if (!me) return cli::Fail(terminal, me.error());
  auto machines = MachinesOf(*connection.api, review->action);
  if (!machines) return cli::Fail(terminal, machines.error());
  ShowReview(*review, policy, machines->size(), terminal);
  ShowMachines(*machines, terminal);

  if (review->people.contains((*me)->id)) {
    terminal.Remark("You have signed it already; one person counts once, with any number of keys.");
    return cli::Finish(terminal, cli::kFound);
  }
  if (Now() >= review->action.expireafter) {
    return cli::Fail(terminal, Error(Errc::kDenied, "its time is over: nobody would obey it"));
  }
  if (!AddsWeight(*review, **me, policy)) {
    return cli::Fail(terminal, Error(Errc::kDenied,
                                     "your signature adds no weight where some is "
                                     "missing, by policy version " +
                                         std::to_string(policy.policy().version)));
  }
  RemarkOnFreshness(review->action.kind, *connection.api, terminal);
  if (auto agreed = cli::Confirm("Sign exactly this, as " + (*me)->name + "?", yes, terminal);
      !agreed) {
    return cli::Fail(terminal, agreed.error());
  }
  // Only our own: the server joins it to those it has for the same bytes, and can do no more than
  // leave some out.
  auto envelope = Seal(review->envelope.payload_type, review->envelope.payload, *connection.signer);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  if (auto kept = cli::RememberSent(id, *machines, Now()); !kept) {
    terminal.Remark("`mig results` will not know which agents were shown: " +
                    kept.error().message());
  }
  auto posted = connection.api->PostAction(*envelope, {});
  if (!posted) return cli::Fail(terminal, posted.error());
  review->people.insert((*me)->id);
  return TellPosted(*posted, review->action, review->people, policy, terminal);
}

// The action that becomes of a proposal, ready to be signed by its approver.
Expected<Action> ActionOf(const cli::Proposal& proposal, const Connection& connection,
                          const TrustedPolicy& policy,
                          const std::vector<cli::ShownAgent>& machines) {
  const auto longest = policy.policy().validity.find(proposal.kind);
  if (longest == policy.policy().validity.end()) {
    return Error(Errc::kDenied,
                 "the policy allows no action of kind " + std::string(KindName(proposal.kind)));
  }
  cli::Draft draft;
  draft.id = proposal.id;
  draft.org = connection.config.org;
  draft.policy = policy.policy().version;
  draft.author = connection.signer->name();
  draft.name = proposal.name;
  draft.reason = proposal.reason;
  const auto expire =
      std::min<std::chrono::milliseconds>(kProposalValidity, longest->second - cli::kBackdated);
  Action action = cli::MakeAction(draft, proposal.kind, proposal.target, proposal.operations,
                                  cli::DefaultLimits(policy.policy().ceilings), expire, Now());
  if (cli::NeedsAudience(action.kind)) {
    auto audience = cli::AudienceOf(machines);
    if (!audience) return std::move(audience).error();
    action.audience = audience->audience;
  }
  // The server wrote most of it: what no agent would read is not signed.
  auto sound = DecodeAction(EncodeAction(action));
  if (!sound) return std::move(sound).error().During("the proposal makes no action");
  return action;
}

ExitStatus ApproveProposal(Connection& connection, const cli::Proposal& proposal,
                           const TrustedPolicy& policy, bool yes, cli::Terminal& terminal) {
  auto me = PersonOf(*connection.signer, policy);
  if (!me) return cli::Fail(terminal, me.error());
  auto machines = connection.api->GetTargets(proposal.target);
  if (!machines) return cli::Fail(terminal, machines.error());
  auto action = ActionOf(proposal, connection, policy, *machines);
  if (!action) return cli::Fail(terminal, action.error());
  const Bytes payload = EncodeAction(*action);
  const Envelope unsigned_yet{std::string(kActionType), payload, {}};
  terminal.Data("The server (" + EscapeForTerminal(proposal.proposer) +
                ") proposes this; nobody has signed it, and nobody vouches for its reasons:\n");
  terminal.Data(
      cli::Explain(cli::Explained{unsigned_yet, *action, &policy, machines->size(), Now()}));
  ShowMachines(*machines, terminal);
  RemarkOnFreshness(action->kind, *connection.api, terminal);
  if (auto agreed = cli::Confirm("Make it your own action and sign it, as " + (*me)->name + "?",
                                 yes, terminal);
      !agreed) {
    return cli::Fail(terminal, agreed.error());
  }
  auto envelope = Seal(kActionType, payload, *connection.signer);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  if (auto kept = cli::RememberSent(proposal.id, *machines, Now()); !kept) {
    terminal.Remark("`mig results` will not know which agents were shown: " +
                    kept.error().message());
  }
  Bytes ids;
  if (action->audience) ids = cli::AudienceOf(*machines)->ids;
  auto posted = connection.api->PostAction(*envelope, ids);
  if (!posted) return cli::Fail(terminal, posted.error());
  return TellPosted(*posted, *action, {(*me)->id}, policy, terminal);
}

}  // namespace

int RunApprove(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  std::string id_text;
  bool yes = false;
  cli::Options options(
      "mig approve ID [--yes]",
      "Shows in plain words what an action that waits asks, of which machines, who signed it, and "
      "how it\ndiffers from what you saw before; asks; and signs exactly that with your key. A "
      "proposal of the\nserver becomes an action of yours.");
  options.Word("ID", "the action or proposal, as `mig pending` shows it", true, &id_text);
  options.Flag("yes", 'y', "sign without asking", &yes);
  wanted.AddTo(options);
  options.Example("mig approve 3t4uxh5p7ysolzdtxgzkjnvwaq", "look at it, and decide");
  options.Note("To look without signing: mig action explain ID");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  auto id = ActionId::Parse(id_text);
  if (!id) {
    return cli::Fail(terminal,
                     Error(Errc::kInvalid, id.error().message() + "; `mig pending` lists them"));
  }
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto policy = connection->api->GetPolicy();
  if (!policy) return cli::Fail(terminal, policy.error());
  auto info = connection->api->GetAction(*id);
  if (info) return ApproveAction(*connection, *info, *id, *policy, yes, terminal);
  if (info.error().code() != Errc::kNotFound) return cli::Fail(terminal, info.error());
  auto proposals = connection->api->ListProposals();
  if (!proposals) return cli::Fail(terminal, proposals.error());
  const auto found = std::find_if(proposals->begin(), proposals->end(),
                                  [&](const cli::Proposal& p) { return p.id == *id; });
  if (found == proposals->end()) {
    return cli::Fail(terminal, Error(Errc::kNotFound,
                                     "there is no such action or open proposal; `mig "
                                     "pending` lists what waits"));
  }
  return ApproveProposal(*connection, *found, *policy, yes, terminal);
}

}  // namespace mig
