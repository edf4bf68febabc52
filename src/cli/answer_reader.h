// An action being answered: takes the API's events, checks every part, prints what verifies, says
// what does not, and counts. Knows no network: events come from cli/api_client.h, or a test.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/action_events.h"
#include "cli/anchor_store.h"
#include "cli/answer_printer.h"
#include "cli/result_check.h"
#include "cli/tally.h"
#include "cli/terminal.h"

namespace mig::cli {

class AnswerReader {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    AnswerFormat format = AnswerFormat::kText;
    Show show = Show::kFound;
    // Gets every part that verifies; may be null, else it must outlive the reader.
    AnchorGatherer* anchors = nullptr;
  };
  // `shown`: see ResultCheck. `terminal` must outlive the reader.
  AnswerReader(Question question, std::optional<std::vector<ShownAgent>> shown,
               const Options& options, Terminal& terminal, Clock::time_point started);

  // False when nothing can follow: the action is final, or stdout takes no more.
  bool Take(const ActionEvent& event, Clock::time_point now);

  // Closes the output: agents that are not through count as they are. Once.
  void Finish(Clock::time_point now);

  const Tally& tally() const { return tally_; }
  // What the server last said of the action.
  const ProgressEvent& progress() const { return progress_; }
  bool ended() const { return ended_; }
  // Of a finished action: what the verb ends with.
  ExitStatus Status() const;

 private:
  // Past these, remarks about single agents are counted only.
  static constexpr std::size_t kMaxRemarks = 20;
  static constexpr std::chrono::milliseconds kRedraw{100};

  struct Agent {
    std::string name;
    std::optional<CommandEvent> final;  // what the server says it came to
    bool verified = true;
  };

  void TakePart(const PartEvent& part);
  void TakeCommand(const CommandEvent& command);
  void EndIfThrough(const AgentId& id);
  void End(const AgentId& id, AgentEnd end);
  void RemarkOn(const std::string& line, Style style);
  void DrawProgress(Clock::time_point now);
  Agent& Know(const AgentId& id, const std::string& name);

  const Question question_;
  const bool check_membership_;
  AnchorGatherer* const anchors_;
  Terminal& terminal_;
  const Clock::time_point started_;
  ResultCheck check_;
  Tally tally_;
  std::unique_ptr<AnswerPrinter> printer_;
  std::map<AgentId, Agent> agents_;
  ProgressEvent progress_;
  Clock::time_point drawn_;
  std::size_t remarks_ = 0;
  bool ended_ = false;
};

}  // namespace mig::cli
