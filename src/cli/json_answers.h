// Answers for programs: one JSON document with the parts of each operation joined, or one JSON
// object a line as things arrive.
//
//   -json    {"schema":"mig.answers.v1", "action":{"id","name","target",…},
//             "answers":[{"agent","name","operation","module","status","sandbox","verified",
//                         "complete","result":{MIG's result object}}],
//             "failed":[{"agent","name","status","code","detail"}],
//             "unverified":[{"agent","name","fault","detail"}], "summary":{…}}
//   -jsonl   {"type":"action","schema":…,"id",…}, then as it comes
//            {"type":"element","agent","name","operation","module","label","element"},
//            {"type":"result",…,"status","sandbox","result"}, {"type":"end","agent","name",
//            "status","code","detail","verified","complete"}, {"type":"unverified",…}, at last
//            {"type":"summary",…}
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
  void Finish(const json::object& summary) override;

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
  void Finish(const json::object& summary) override;

 private:
  // Elements wait as the text that will be printed: a fifth of the memory of parsed values. What
  // one agent may send is bounded by the action's limits, and only agents that are not through yet
  // wait.
  struct OperationText {
    std::map<std::string, std::string> lists;   // label -> elements, joined by commas
    std::map<std::string, std::string> others;  // label -> one value that is no list
    std::string result;  // what stands before "elements" in the result, with a comma
    CommandStatus status = CommandStatus::kSuccess;
    std::string sandbox;
    bool found = false;
    bool ended = false;  // the summary came
  };
  using Waiting = std::map<std::uint32_t, OperationText>;

  static constexpr std::size_t kMaxUnverified = 1000;  // further ones are counted

  std::string ModuleOf(std::uint32_t operation) const;
  void WriteResult(const OperationText& text);

  const Show show_;
  const Question question_;
  Terminal& terminal_;
  bool first_ = true;
  std::map<AgentId, Waiting> waiting_;
  std::vector<std::string> failed_;      // for the end
  std::vector<std::string> unverified_;  // at most kMaxUnverified
  std::uint64_t unverified_more_ = 0;
};

}  // namespace mig::cli
