// The options of verbs that print answers: which, and in what form.
#pragma once

#include <string>

#include "cli/answer_reader.h"
#include "cli/options.h"
#include "util/expected.h"

namespace mig {

struct AnswerOptions {
  std::string show = "found";
  bool json = false, json_lines = false, csv = false;

  // This object must live as long as `options`.
  void AddTo(cli::Options& options);
  static void AddExitNote(cli::Options& options);
  // Error: kInvalid when two forms were asked for.
  Expected<void> Check() const;
  cli::AnswerFormat format() const;
  cli::AnswerReader::Options ForReader() const;
};

}  // namespace mig
