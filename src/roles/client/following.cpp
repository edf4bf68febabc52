#include "roles/client/following.h"

#include "cli/new_action.h"
#include "cli/verb.h"
#include "os/interrupts.h"
#include "roles/client/kept_anchors.h"

namespace mig {
namespace {

using cli::AnswerReader;
using cli::ExitStatus;

// How long a second Ctrl-C still means "stop it".
constexpr std::chrono::milliseconds kSecondInterrupt{2'000};

// After Ctrl-C: says how to go on, and waits for a second one.
ExitStatus Detach(Connection& connection, const Action& action, const os::Interrupts& interrupts,
                  cli::Terminal& terminal) {
  const int seen = interrupts.count();
  terminal.Remark("Detached; the action goes on until " + FormatRfc3339(action.expireafter) +
                  ". Follow it with: mig results " + action.id.Text() + " -f");
  // SIGTERM and SIGHUP come from no person: there is nobody to press again.
  if (interrupts.terminated()) return cli::kDetached;
  bool stop = seen > 1;
  if (!stop) {
    terminal.Remark("Ctrl-C again within 2 s stops it on all agents.");
    stop = interrupts.WaitForMore(seen, kSecondInterrupt) && !interrupts.terminated();
  }
  if (!stop) return cli::kDetached;
  connection.api->Resume();
  auto sent = SendStop(connection, action.id, action.expireafter, "stopped from the keyboard");
  if (!sent) return cli::Fail(terminal, std::move(sent).error().During("stop the action"));
  terminal.Remark("Asked every agent to stop it.");
  return cli::kDetached;
}

}  // namespace

cli::Question QuestionOf(const Action& action) {
  cli::Question question;
  question.id = action.id;
  question.name = action.name;
  question.target = action.target;
  question.validfrom = action.validfrom;
  question.expireafter = action.expireafter;
  for (const Operation& operation : action.operations) question.modules.push_back(operation.module);
  return question;
}

Expected<void> SendStop(Connection& connection, const ActionId& action, UtcTime until,
                        const std::string& reason) {
  cli::Draft draft;
  draft.id = cli::NewActionId();
  draft.org = connection.config.org;
  draft.author = connection.signer->name();
  draft.name = "stop " + action.Text();
  draft.reason = reason;
  // Names no policy version: whatever policy an agent holds, its people may stop what they started.
  const Action stop = cli::MakeStop(draft, action, until, Now());
  auto envelope = Seal(kActionType, EncodeAction(stop), *connection.signer);
  if (!envelope) return std::move(envelope).error();
  auto posted = connection.api->PostAction(*envelope);
  if (!posted) return std::move(posted).error();
  return {};
}

ExitStatus FollowAction(Connection& connection, const Action& action,
                        std::optional<std::vector<cli::ShownAgent>> shown,
                        AnswerReader::Options options, cli::Terminal& terminal) {
  cli::AnchorGatherer anchors;
  options.anchors = &anchors;
  const os::Interrupts interrupts([](void* api) { static_cast<cli::ApiClient*>(api)->Interrupt(); },
                                  connection.api.get());
  AnswerReader reader(QuestionOf(action), std::move(shown), options, terminal,
                      AnswerReader::Clock::now());
  auto followed = connection.api->Follow(action.id, [&](const cli::ActionEvent& event) {
    return reader.Take(event, AnswerReader::Clock::now());
  });
  reader.Finish(AnswerReader::Clock::now());
  KeepAnchors(anchors, connection.signer->name(), terminal);
  if (reader.ended()) {
    if (!reader.progress().detail.empty()) terminal.Remark(reader.progress().detail);
    return cli::Finish(terminal, reader.Status());
  }
  if (interrupts.count() > 0) return Detach(connection, action, interrupts, terminal);
  if (!followed) {
    const ExitStatus status = cli::Fail(terminal, followed.error());
    terminal.Remark("The action goes on without us; follow it with: mig results " +
                    action.id.Text() + " -f");
    return status;
  }
  return cli::Finish(terminal, cli::kDetached);  // nobody reads our output any more
}

}  // namespace mig
