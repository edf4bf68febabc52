#include "roles/client/sending.h"

#include <algorithm>

#include "cli/confirmation.h"
#include "cli/explanation.h"
#include "cli/new_action.h"
#include "cli/sent_actions.h"
#include "cli/verb.h"
#include "roles/client/following.h"
#include "roles/client/machine_list.h"
#include "roles/client/policy_remarks.h"
#include "roles/client/review.h"
#include "trust/signers.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

void TellTargets(const std::vector<cli::ShownAgent>& shown, cli::Terminal& terminal) {
  const auto online = static_cast<std::uint64_t>(
      std::count_if(shown.begin(), shown.end(),
                    [](const cli::ShownAgent& agent) { return agent.status == "online"; }));
  std::string line = Count(shown.size(), "agent") + " will be asked";
  if (online < shown.size()) {
    line += ", " + GroupThousands(online) + " of them online; the others when they come back";
  }
  terminal.Remark(line + ".");
  const auto held = std::count_if(shown.begin(), shown.end(),
                                  [](const cli::ShownAgent& agent) { return agent.held; });
  if (held > 0) {
    terminal.Remark(std::to_string(held) +
                        " of them held: nothing is sent there until a person releases it, because "
                        "two machines use one identity; see: mig agents",
                    cli::Style::kYellow);
  }
}

ExitStatus TellPending(const cli::ApiClient::Posted& posted, const Action& action,
                       const TrustedPolicy& policy, cli::Terminal& terminal) {
  terminal.Complain("the action waits for more signatures (signed so far by " +
                    Join(posted.people, ", ") + "); it is " + action.id.Text() + " until " +
                    FormatRfc3339(action.expireafter));
  const std::set<std::string> people(posted.people.begin(), posted.people.end());
  for (const std::string& line : cli::MissingLines(action, people, policy)) {
    terminal.Remark("  missing: " + line);
  }
  terminal.Remark("They see it with: mig pending; and sign it with: mig approve " +
                  action.id.Text());
  return cli::kRefused;
}

// Who was shown, or why the action reaches nobody.
Expected<std::vector<cli::ShownAgent>> Shown(cli::ApiClient& api, const Action& action) {
  auto shown = api.GetTargets(action.target);
  if (!shown) return std::move(shown).error().During("--target");
  if (!shown->empty()) return shown;
  // Nobody was asked, so this is no "found nothing".
  return Error(Errc::kInvalid, "no agent matches the target " + action.target +
                                   "; nothing was sent. `mig agents` lists them");
}

ExitStatus Post(Connection& connection, const TrustedPolicy& policy, const Envelope& envelope,
                const Action& action, const Bytes& audience, std::vector<cli::ShownAgent> shown,
                const SendOptions& options, cli::Terminal& terminal) {
  // Before it is sent: what was shown is what answers are checked against, also later and
  // elsewhere.
  if (auto kept = cli::RememberSent(action.id, shown, Now()); !kept) {
    terminal.Remark("`mig results` will not know which agents were shown: " +
                    kept.error().message());
  }
  auto posted = connection.api->PostAction(envelope, audience);
  if (!posted) return cli::Fail(terminal, posted.error());
  if (!posted->weight_reached) return TellPending(*posted, action, policy, terminal);
  if (options.detach) {
    if (options.answers->format() == cli::AnswerFormat::kText) {
      terminal.Data(action.id.Text() + "\n");
    } else {
      terminal.Data(json::Write(json::object{{"action", {{"id", action.id.Text()}}}}) + "\n");
    }
    terminal.Remark("Follow it with: mig results " + action.id.Text() + " -f");
    return cli::Finish(terminal, cli::kDetached);
  }
  return FollowAction(connection, action, std::move(shown), options.answers->ForReader(), terminal);
}

}  // namespace

Expected<Bytes> GiveAudience(Action& action, const std::vector<cli::ShownAgent>& shown) {
  if (!cli::NeedsAudience(action.kind)) return Bytes();
  auto audience = cli::AudienceOf(shown);
  if (!audience) return std::move(audience).error();
  action.audience = audience->audience;
  return std::move(audience->ids);
}

ExitStatus SendNew(Connection& connection, const TrustedPolicy& policy, Action action,
                   const SendOptions& options, cli::Terminal& terminal) {
  auto shown = Shown(*connection.api, action);
  if (!shown) return cli::Fail(terminal, shown.error());
  TellTargets(*shown, terminal);
  auto audience = GiveAudience(action, *shown);
  if (!audience) return cli::Fail(terminal, audience.error());
  const Bytes payload = EncodeAction(action);
  if (cli::NeedsAudience(action.kind)) {
    const Envelope unsigned_yet{std::string(kActionType), payload, {}};
    terminal.Data(
        cli::Explain(cli::Explained{unsigned_yet, action, &policy, shown->size(), Now()}));
    ShowMachines(*shown, terminal);
    RemarkOnFreshness(action.kind, *connection.api, terminal);
    auto agreed = cli::Confirm(
        "This changes machines. Sign exactly this, as " + connection.signer->name() + "?",
        options.yes, terminal);
    if (!agreed) return cli::Fail(terminal, agreed.error());
  }
  auto envelope = Seal(kActionType, payload, *connection.signer);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  return Post(connection, policy, *envelope, action, *audience, std::move(*shown), options,
              terminal);
}

ExitStatus SendSigned(Connection& connection, const TrustedPolicy& policy, Envelope envelope,
                      const Bytes& audience, const SendOptions& options, cli::Terminal& terminal) {
  auto action = DecodeAction(envelope.payload);
  if (!action) return cli::Fail(terminal, action.error());
  Signers signers = CheckSigners(envelope, policy);
  if (signers.refused) {
    return cli::Fail(terminal,
                     Error(Errc::kDenied, std::string(RefusalCode(signers.refused->code)) + ": " +
                                              signers.refused->detail));
  }
  auto shown = Shown(*connection.api, *action);
  if (!shown) return cli::Fail(terminal, shown.error());
  TellTargets(*shown, terminal);
  auto me = PersonOf(*connection.signer, policy);
  if (me && !signers.people.contains((*me)->id)) {
    const Review review{envelope, *action, signers.people, {}};
    ShowReview(review, policy, shown->size(), terminal);
    ShowMachines(*shown, terminal);
    RemarkOnFreshness(action->kind, *connection.api, terminal);
    auto agreed =
        cli::Confirm("Sign exactly this, too, as " + (*me)->name + "?", options.yes, terminal);
    if (!agreed) return cli::Fail(terminal, agreed.error());
    if (auto added = AddSignature(envelope, *connection.signer); !added) {
      return cli::Fail(terminal, added.error());
    }
  }
  return Post(connection, policy, envelope, *action, audience, std::move(*shown), options,
              terminal);
}

}  // namespace mig
