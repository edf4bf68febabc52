#include "cli/answer_printer.h"

#include <cstdio>

#include "cli/csv_answers.h"
#include "cli/json_answers.h"
#include "cli/text_answers.h"

namespace mig::cli {

Expected<Show> ParseShow(std::string_view name) {
  if (name == "found") return Show::kFound;
  if (name == "notfound") return Show::kNotFound;
  if (name == "all") return Show::kAll;
  return Error(Errc::kInvalid, "expected found, notfound or all, not `" + std::string(name) + "`");
}

std::unique_ptr<AnswerPrinter> MakeAnswerPrinter(AnswerFormat format, Show show, Question question,
                                                 Terminal& terminal) {
  switch (format) {
    case AnswerFormat::kText:
      return std::make_unique<TextAnswers>(show, std::move(question), terminal);
    case AnswerFormat::kJson:
      return std::make_unique<JsonAnswers>(show, std::move(question), terminal);
    case AnswerFormat::kJsonLines:
      return std::make_unique<JsonLineAnswers>(show, std::move(question), terminal);
    case AnswerFormat::kCsv:
      return std::make_unique<CsvAnswers>(show, std::move(question), terminal);
  }
  return nullptr;
}

}  // namespace mig::cli
