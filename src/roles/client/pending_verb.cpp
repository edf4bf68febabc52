// mig pending: what waits for people: actions that lack signatures, and what the server proposes.
#include <algorithm>

#include "cli/explanation.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/old_policies.h"
#include "roles/client/review.h"
#include "trust/standing.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

std::uint64_t MachinesOf(const cli::ActionInfo& info) {
  if (info.action && info.action->audience) return info.action->audience->size;
  const json::value* value = info.fields.if_contains("machines");
  auto number = value == nullptr ? Expected<std::uint64_t>(0) : json::ToUint(*value);
  return number ? *number : 0;
}

std::string Left(UtcTime end, UtcTime now) {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(end - now);
  return left.count() > 0 ? "in " + FormatDuration(left) : "over";
}

json::object ActionJson(const cli::ActionInfo& info, const Expected<Review>& review,
                        const TrustedPolicy& policy) {
  json::object fields{{"id", info.id.Text()},
                      {"kind", KindName(info.action->kind)},
                      {"name", info.action->name},
                      {"target", info.action->target},
                      {"expireafter", FormatRfc3339(info.action->expireafter)},
                      {"machines", MachinesOf(info)}};
  if (!review) {
    fields["refused"] = review.error().message();
    return fields;
  }
  json::array signed_by, missing;
  for (const std::string& person : review->people) signed_by.emplace_back(person);
  for (const ModuleStanding& standing : Standings(review->action, review->people, policy)) {
    json::array candidates;
    for (const auto& candidate : standing.candidates) {
      candidates.push_back(
          json::object{{"person", candidate.person->id}, {"weight", candidate.weight}});
    }
    if (standing.Reached()) continue;
    missing.push_back(json::object{{"module", standing.module},
                                   {"weight", standing.weight},
                                   {"needed", standing.needed},
                                   {"candidates", std::move(candidates)}});
  }
  fields["signed"] = std::move(signed_by);
  fields["missing"] = std::move(missing);
  return fields;
}

class Printer {
 public:
  Printer(cli::Terminal& terminal, UtcTime now) : terminal_(terminal), now_(now) {}

  void Head(const ActionId& id, Kind kind, const std::string& name) {
    terminal_.Data(id.Text() + "  " + std::string(KindName(kind)) + "  " + EscapeForTerminal(name) +
                   "\n");
  }
  void Line(std::string_view label, const std::string& value) {
    std::string left = "    " + std::string(label);
    left.resize(16, ' ');
    terminal_.Data(left + EscapeForTerminal(value) + "\n");
  }

  void Action(const cli::ActionInfo& info, const Expected<Review>& review,
              const TrustedPolicy& policy, const Person* me) {
    const mig::Action& action = *info.action;
    Head(info.id, action.kind, action.name);
    Line("machines", GroupThousands(MachinesOf(info)) +
                         (action.audience ? ", as signed" : " now, as the server counts them"));
    Line("expires", FormatRfc3339(action.expireafter) + ", " + Left(action.expireafter, now_));
    if (!review) {
      Line("REFUSED", review.error().message());
      return;
    }
    std::string people;
    for (const std::string& person : review->people) {
      people += (people.empty() ? "" : ", ") + PersonText(person, policy);
    }
    Line("signed by", people);
    for (const std::string& line : cli::MissingLines(action, review->people, policy)) {
      Line("missing", line);
    }
    if (me == nullptr) return;
    if (review->people.contains(me->id)) {
      Line("you", "have signed it");
    } else if (AddsWeight(*review, *me, policy)) {
      Line("you", "can sign it: mig approve " + info.id.Text());
    }
  }

  void Proposal(const cli::Proposal& proposal) {
    Head(proposal.id, proposal.kind, proposal.name);
    Line("proposed by", "the server (" + proposal.proposer + "), at " +
                            FormatRfc3339(proposal.created) + "; nobody has signed it");
    Line("why", proposal.reason);
    Line("target", proposal.target);
    Line("expires", FormatRfc3339(proposal.expires) + ", " + Left(proposal.expires, now_));
  }

 private:
  cli::Terminal& terminal_;
  UtcTime now_;
};

}  // namespace

int RunPending(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  bool json = false;
  cli::Options options("mig pending [--json]",
                       "Lists what waits for people: actions that need more signatures than they "
                       "have, with who\nsigned and who could, and what the server proposes. "
                       "Signatures and weights are checked here,\nby the deployment's policy.");
  options.Flag("json", '\0', "one JSON document", &json);
  wanted.AddTo(options);
  options.Example("mig pending", "what waits, and whether it waits for you");
  options.Example("mig pending --json | jq -r '.actions[].id'", "only the ids");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto policy = connection->api->GetPolicy();
  if (!policy) return cli::Fail(terminal, policy.error());
  auto pending = connection->api->ListPending();
  if (!pending) return cli::Fail(terminal, pending.error());
  auto proposals = connection->api->ListProposals();
  if (!proposals) return cli::Fail(terminal, proposals.error());
  RemarkOnOldPolicies(*connection, terminal);
  const auto me = PersonOf(*connection->signer, *policy);

  if (pending->unreadable > 0) {
    terminal.Remark(Count(pending->unreadable, "action") + " left out: not to be made sense of.",
                    cli::Style::kYellow);
  }
  json::array actions, proposed;
  Printer printer(terminal, Now());
  for (const cli::ActionInfo& info : pending->actions) {
    const Expected<Review> review = ReviewShown(info, info.id, *policy);
    if (json) {
      actions.push_back(ActionJson(info, review, *policy));
    } else {
      printer.Action(info, review, *policy, me ? *me : nullptr);
    }
  }
  for (cli::Proposal& proposal : *proposals) {
    if (json) {
      proposed.push_back(std::move(proposal.fields));
    } else {
      printer.Proposal(proposal);
    }
  }
  if (json) {
    const json::object all{{"actions", std::move(actions)}, {"proposals", std::move(proposed)}};
    terminal.Data(cli::EscapeJson(json::WritePretty(all)) + "\n");
  } else if (!pending->actions.empty() || !proposals->empty()) {
    terminal.Remark(
        "Look at one and sign it with: mig approve ID; or: mig reject ID --reason TEXT");
  } else {
    terminal.Remark("Nothing waits for anybody.");
  }
  const bool nothing = pending->actions.empty() && proposals->empty();
  return cli::Finish(terminal, nothing ? cli::kNothing : cli::kFound);
}

}  // namespace mig
