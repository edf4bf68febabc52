// Answers as CSV (RFC 4180): one row for each element that was found, and at the end, with
// -show notfound and all, one for each agent that found nothing. The first element decides the
// columns; what later ones have besides stands as JSON in the last column. Failures have no row:
// they are on stderr and in the exit status, and in -json.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/answer_printer.h"

namespace mig::cli {

class CsvAnswers : public AnswerPrinter {
 public:
  CsvAnswers(Show show, Question question, Terminal& terminal);
  void Part(const Answerer& agent, const ResultPart& part) override;
  void Ended(const Answerer& agent, const AgentEnd& end) override;
  void Unverified(const Answerer& agent, std::string_view fault, std::string_view detail) override;
  void Finish(const json::object& summary) override;

 private:
  void Header(const std::vector<std::string>& columns);
  void Row(const Answerer& agent, std::uint32_t operation, std::string_view label,
           const json::value& element);
  std::string Field(std::string_view text, bool foreign) const;

  const Show show_;
  const Question question_;
  Terminal& terminal_;
  bool header_written_ = false;
  std::vector<std::string> columns_;  // of the element: "fileinfo.size"
  std::vector<Answerer> nothing_;     // agents that found nothing, for the end
};

}  // namespace mig::cli
