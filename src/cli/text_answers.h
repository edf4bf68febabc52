// Answers as lines for a person: the agent's name and what its module's printer says.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "cli/answer_printer.h"
#include "modules/result.h"

namespace mig::cli {

class TextAnswers : public AnswerPrinter {
 public:
  TextAnswers(Show show, Question question, Terminal& terminal);
  void Part(const Answerer& agent, const ResultPart& part) override;
  void Ended(const Answerer& agent, const AgentEnd& end) override;
  void Unverified(const Answerer& agent, std::string_view fault, std::string_view detail) override;
  void Finish(const json::object& summary) override;

 private:
  void Lines(const Answerer& agent, const std::vector<std::string>& lines);
  std::vector<std::string> Print(std::uint32_t operation, const ModuleResult& result,
                                 bool found_only) const;

  const Show show_;
  const Question question_;
  Terminal& terminal_;
  std::set<AgentId> printed_;  // agents of which something was shown
};

}  // namespace mig::cli
