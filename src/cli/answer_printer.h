// Answers as they arrive, for a person or a program: text, one JSON document, JSON lines, CSV.
// What comes in has been verified (cli/result_check.h) and is still hostile: names of files and
// machines are an attacker's to choose.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "proto/ids.h"
#include "proto/result.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::cli {

enum class AnswerFormat { kText, kJson, kJsonLines, kCsv };
enum class Show { kFound, kNotFound, kAll };
Expected<Show> ParseShow(std::string_view name);  // found notfound all

// What was asked, as far as printing needs it.
struct Question {
  ActionId id;
  std::string name, target;
  UtcTime validfrom, expireafter;
  std::vector<std::string> modules;  // one for each operation
};

struct Answerer {
  AgentId id;
  std::string name;
};

// The last word about one agent.
struct AgentEnd {
  CommandStatus status = CommandStatus::kSuccess;
  std::string code, detail;  // why not
  bool found = false;        // some operation found something
  bool verified = true;      // no part of it failed the check
  bool complete = true;      // its parts form a chain up to the last
};

class AnswerPrinter {
 public:
  virtual ~AnswerPrinter() = default;
  // A part that verified, each once; those of one operation of one agent in their order, unless
  // the relay mixed them up.
  virtual void Part(const Answerer& agent, const ResultPart& part) = 0;
  // Nothing more comes from that agent.
  virtual void Ended(const Answerer& agent, const AgentEnd& end) = 0;
  // A part that does not verify, and why.
  virtual void Unverified(const Answerer& agent, std::string_view fault,
                          std::string_view detail) = 0;
  // The end of the output; `summary` as Tally::ToJson says.
  virtual void Finish(const json::object& summary) = 0;
};

// `terminal` must outlive the printer.
std::unique_ptr<AnswerPrinter> MakeAnswerPrinter(AnswerFormat format, Show show, Question question,
                                                 Terminal& terminal);

// One CSV field (RFC 4180). `foreign`: text from an endpoint, which a spreadsheet must not take for
// a formula: where it starts with = + - @ tab or CR it gets an apostrophe in front.
std::string CsvField(std::string_view text, bool foreign);

}  // namespace mig::cli
