// Answers for programs: one JSON document with the parts of each agent joined, or one JSON object a
// line as things arrive.
//
//   -json    {"schema":"mig.answers.v1", "action":{…}, "answers":[{"agent","name","status","code",
//             "detail","complete","results":[{"operation","module","status","sandbox","result"}]}],
//             "unverified":[{"agent","name","fault","detail"}], "totals":{…}}
//   -jsonl   {"schema":"mig.answers.v1","type":"action",…}, then as it comes
//            {"type":"element","agent","name","operation","module","label","element"},
//            {"type":"result",… "result"}, {"type":"end","agent","name","status",…},
//            {"type":"unverified",…}, at last {"type":"totals",…}
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/answer_printer.h"

namespace mig::cli {

class JsonLineAnswers : public AnswerPrinter {
 public:
  JsonLineAnswers(Show show, Question question, Terminal& terminal);
  void Part(const Answerer& agent, const ResultPart& part) override;
  void Ended(const Answerer& agent, const AgentEnd& end) override;
  void Unverified(const Answerer& agent, std::string_view fault, std::string_view detail) override;
  void Finish(const json::object& totals) override;

 private:
  void Line(const json::object& fields);

  const Show show_;
  const Question question_;
  Terminal& terminal_;
};

class JsonAnswers : public AnswerPrinter {
 public:
  JsonAnswers(Show show, Question question, Terminal& terminal);
  void Part(const Answerer& agent, const ResultPart& part) override;
  void Ended(const Answerer& agent, const AgentEnd& end) override;
  void Unverified(const Answerer& agent, std::string_view fault, std::string_view detail) override;
  void Finish(const json::object& totals) override;

 private:
  // Elements wait as text: a fifth of the memory of parsed values. What one agent may send is
  // bounded by the action's limits, and only agents that are not through yet wait.
  struct OperationText {
    std::map<std::string, std::string> lists;   // label -> elements, joined by commas
    std::map<std::string, std::string> others;  // label -> one value that is no list
    std::string before;  // from the opening brace of the operation to that of "elements"
    bool found = false;
    bool ended = false;  // the summary came
  };
  using Waiting = std::map<std::uint32_t, OperationText>;

  static constexpr std::size_t kMaxUnverified = 1000;  // further ones are counted

  std::string ModuleOf(std::uint32_t operation) const;
  static std::string Joined(const OperationText& text);

  const Show show_;
  const Question question_;
  Terminal& terminal_;
  bool first_ = true;
  std::map<AgentId, Waiting> waiting_;
  std::vector<std::string> unverified_;  // at most kMaxUnverified
  std::uint64_t unverified_more_ = 0;
};

}  // namespace mig::cli
