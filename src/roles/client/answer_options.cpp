#include "roles/client/answer_options.h"

namespace mig {

void AnswerOptions::AddTo(cli::Options& options) {
  options.Choice("show", '\0', {"found", "notfound", "all"}, "whose answers (default: found)",
                 &show);
  options.Flag("json", '\0', "one JSON document at the end", &json);
  options.Flag("jsonl", '\0', "one JSON object a line, as answers arrive", &json_lines);
  options.Flag("csv", '\0',
               "one row for each element; a ' goes before what a spreadsheet would run", &csv);
}

void AnswerOptions::AddExitNote(cli::Options& options) {
  options.Note(
      "Exit status: 0 found, 1 nothing found, 2 usage, 3 partial (an agent failed or stayed "
      "silent),\n4 refused, 5 server not reachable, 6 cut at a limit, 130 detached.");
}

Expected<void> AnswerOptions::Check() const {
  if (int{json} + int{json_lines} + int{csv} <= 1) return {};
  return Error(Errc::kInvalid, "choose one of --json, --jsonl and --csv");
}

cli::AnswerFormat AnswerOptions::format() const {
  if (json) return cli::AnswerFormat::kJson;
  if (json_lines) return cli::AnswerFormat::kJsonLines;
  return csv ? cli::AnswerFormat::kCsv : cli::AnswerFormat::kText;
}

cli::AnswerReader::Options AnswerOptions::ForReader() const {
  cli::AnswerReader::Options options;
  options.format = format();
  auto chosen = cli::ParseShow(show);
  if (chosen) options.show = *chosen;  // Choice let nothing else through
  return options;
}

}  // namespace mig
