// How an action went: who answered, who found, who failed and why, who stayed silent; and the exit
// status that follows. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cli/answer_printer.h"
#include "cli/exit_status.h"
#include "proto/ids.h"
#include "proto/result.h"
#include "util/json.h"

namespace mig::cli {

class Tally {
 public:
  // `targeted`: how many agents the action reaches. Agents heard of beyond that count, too.
  explicit Tally(std::uint64_t targeted) : targeted_(targeted) {}

  // A part that verified.
  void Part(const AgentId& agent, const ResultPart& part);
  // A part of that agent did not verify: whatever else it says, it counts as failed.
  void Unverified(const AgentId& agent);
  // The last word about an agent. Later words do not count.
  void Ended(const AgentId& agent, const AgentEnd& end);
  // The server counts more agents than were shown.
  void Targeted(std::uint64_t targeted) { targeted_ = std::max(targeted_, targeted); }

  bool Found(const AgentId& agent) const;
  // What the agent itself said it comes to, in its last part; kPrepared when it did not.
  CommandStatus SignedStatus(const AgentId& agent) const;
  bool HasEnded(const AgentId& agent) const;

  std::uint64_t targeted() const;
  std::uint64_t answered() const { return answered_; }
  std::uint64_t found() const;
  std::uint64_t failed() const { return failed_; }
  std::uint64_t silent() const;
  // Errors that modules met on the way (files that could not be opened, …) in answers that came.
  std::uint64_t errors() const { return errors_; }
  std::uint64_t agents_with_errors() const { return agents_with_errors_; }
  // Agents whose answer was cut at a limit.
  std::uint64_t limited() const;

  // "2/3 answered, 1 found, 1 failed, 1 running": while it goes on.
  std::string ProgressLine(std::uint64_t running) const;
  // "answered 2/3, found 1, failed 1 (1 refused: too_little_weight), silent 0, 1.2 s"
  std::string FinalLine(std::chrono::milliseconds elapsed) const;
  json::object ToJson(std::chrono::milliseconds elapsed) const;
  ExitStatus Status() const;

 private:
  std::string Reasons() const;  // the most frequent ones

  struct Agent {
    bool found = false;
    bool unverified = false;
    bool errors = false;
    bool limited = false;  // its answer was cut at a limit
    bool ended = false;
    CommandStatus signed_status = CommandStatus::kPrepared;
  };
  std::uint64_t targeted_;
  std::map<AgentId, Agent> agents_;
  std::map<std::string, std::uint64_t> reasons_;  // "refused: too_little_weight" -> agents
  std::uint64_t answered_ = 0, failed_ = 0, refused_ = 0, expired_ = 0, errors_ = 0,
                agents_with_errors_ = 0;
};

// "0.12 s", "3.2 s", "2m05s".
std::string FormatElapsed(std::chrono::milliseconds elapsed);

}  // namespace mig::cli
