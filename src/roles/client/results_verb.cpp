// mig results ID: the answers to an action, again or as they come.
#include "cli/sent_actions.h"
#include "cli/verb.h"
#include "roles/client/answer_options.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/following.h"
#include "roles/client/kept_anchors.h"

namespace mig {
namespace {

// The agents that were shown when the action was sent, if it was sent from here.
std::optional<std::vector<cli::ShownAgent>> RecallShown(const ActionId& action,
                                                        cli::Terminal& terminal) {
  auto folder = cli::UserStateFolder(cli::ProcessEnvironment);
  if (!folder) return std::nullopt;
  auto shown = cli::SentActions(*folder / "sent").Recall(action);
  if (!shown) {
    terminal.Remark(shown.error().message(), cli::Style::kYellow);
    return std::nullopt;
  }
  return std::move(*shown);
}

}  // namespace

int RunResults(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  AnswerOptions answers;
  std::string id_text;
  bool follow = false;
  cli::Options options("mig results ID [-f] [--show found|notfound|all]",
                       "Prints the answers to an action that came so far, each checked as `mig "
                       "query` checks it.");
  options.Word("ID", "the action, as `mig query` and `mig status` show it", true, &id_text);
  options.Flag("follow", 'f', "go on until the action is final", &follow);
  answers.AddTo(options);
  wanted.AddTo(options);
  AnswerOptions::AddExitNote(options);
  options.Example("mig results 3t4uxh5p7ysolzdtxgzkjnvwaq -f",
                  "takes up a query again that Ctrl-C let go of");
  options.Example("mig results 3t4uxh5p7ysolzdtxgzkjnvwaq --show all",
                  "all answers with their statistics and errors");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (auto good = answers.Check(); !good) return cli::Fail(terminal, good.error());
  auto id = ReadActionId(id_text);
  if (!id) return cli::Fail(terminal, id.error());

  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto info = connection->api->GetAction(*id);
  if (!info) return cli::Fail(terminal, info.error());
  if (!info->action) {
    return cli::Fail(terminal, Error(Errc::kMalformed, "the server does not show the action"));
  }
  auto shown = RecallShown(*id, terminal);
  if (!shown) {
    terminal.Remark(
        "Sent from elsewhere: each answer's signature is checked, but not whether its agent was "
        "among those shown to the sender.",
        cli::Style::kYellow);
  }
  if (follow) {
    return FollowAction(*connection, *info->action, std::move(shown), answers.ForReader(),
                        terminal);
  }
  const auto started = cli::AnswerReader::Clock::now();
  cli::AnchorGatherer anchors;
  cli::AnswerReader::Options reading = answers.ForReader();
  reading.anchors = &anchors;
  cli::AnswerReader reader(QuestionOf(*info->action), std::move(shown), reading, terminal, started);
  auto read = connection->api->ReadSoFar(*id, [&](const cli::ActionEvent& event) {
    return reader.Take(event, cli::AnswerReader::Clock::now());
  });
  reader.Finish(cli::AnswerReader::Clock::now());
  KeepAnchors(anchors, connection->signer->name(), terminal);
  if (!read) return cli::Fail(terminal, read.error());
  if (!IsFinal(reader.progress().status)) {
    terminal.Remark("The action goes on (" +
                    std::string(ActionStatusName(reader.progress().status)) +
                    "); add -f to follow it.");
  }
  return cli::Finish(terminal, reader.Status());
}

}  // namespace mig
