#include "roles/client/local_run.h"

#include "cli/tally.h"
#include "cli/verb.h"
#include "os/child_process.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

// The child bounds its answer itself (limits.bytes); this bounds what we hold of it at once.
constexpr std::size_t kMaxAnswerBytes = std::size_t{512} << 20;
// The child ends itself at limits.seconds; past this it is stuck.
constexpr std::chrono::seconds kGrace{10};

Expected<json::object> RunChildModule(const Module& module, const json::object& parameters,
                                      const std::vector<AttachedFile>& files, const Limits& limits,
                                      const LocalPriority& priority, cli::Terminal& terminal) {
  os::ChildOptions child;
  child.program = os::SelfExecutable();
  child.argv = {"mig", "module", std::string(module.name), "--limits",
                json::Write(EncodeLimits(limits))};
  if (priority.threads) child.argv.push_back("--threads=" + std::to_string(*priority.threads));
  if (priority.nice) child.argv.push_back("--nice=" + std::to_string(*priority.nice));
  if (NeedsMoreRights(module, parameters)) child.argv.emplace_back("--more-rights");
  Bytes input = json::Write(parameters);
  for (const AttachedFile& file : files) {
    child.argv.emplace_back("--attachment");
    child.argv.push_back(file.attachment.name + "=" + std::to_string(file.content.size()));
    input += file.content;
  }
  child.low_priority = false;  // it lowers its own, as far as --nice says
  os::ChildLimits bounds;
  bounds.stdout_bytes = kMaxAnswerBytes;
  auto outcome = os::RunChild(child, input, std::chrono::seconds(limits.seconds) + kGrace, bounds);
  if (!outcome) return std::move(outcome).error();
  for (const std::string_view line : Split(Trim(outcome->stderr_bytes), '\n')) {
    if (!line.empty()) terminal.Remark(line, cli::Style::kYellow);
  }
  if (outcome->timed_out) {
    return Error(Errc::kTimeout, "the module did not end within " + std::to_string(limits.seconds) +
                                     " s (--max-seconds)");
  }
  if (outcome->overflowed) {
    return Error(Errc::kFull, "the answer is larger than " + std::to_string(kMaxAnswerBytes >> 20) +
                                  " MiB; ask for less, or set --max-rows");
  }
  auto result = json::ParseObject(Trim(outcome->stdout_bytes));
  if (result) return result;
  return Error(Errc::kInternal, "the module's process gave no answer (" + outcome->exit.Describe() +
                                    "): " + result.error().message());
}

// As if this machine were an agent of its own, so that scripts see one form.
ResultPart PartOf(const json::object& result) {
  ResultPart part;
  part.last = true;
  part.status = CommandStatus::kSuccess;
  OperationSummary summary;
  summary.result = result;
  if (const json::value* sandbox = result.if_contains("sandbox");
      sandbox != nullptr && sandbox->is_string()) {
    summary.sandbox = std::string(sandbox->get_string());
  }
  part.summary = std::move(summary);
  return part;
}

}  // namespace

ExitStatus RunLocal(const Module& module, const json::object& parameters,
                    const std::vector<AttachedFile>& files, const Limits& limits,
                    const LocalPriority& priority, const cli::AnswerReader::Options& options,
                    cli::Terminal& terminal) {
  const auto started = std::chrono::steady_clock::now();
  auto answer = RunChildModule(module, parameters, files, limits, priority, terminal);
  if (!answer) {
    terminal.Complain(answer.error().message());
    return cli::kPartial;
  }
  auto result = ResultFromJson(*answer);
  if (!result) {
    terminal.Complain(result.error().message());
    return cli::kPartial;
  }
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started);

  const cli::Answerer here{AgentId(), "local"};
  const ResultPart part = PartOf(*answer);
  cli::AgentEnd end;
  end.found = result->foundanything;
  if (!result->success) end.status = CommandStatus::kFailed;
  cli::Tally tally(1);
  tally.Part(here.id, part);
  tally.Ended(here.id, end);

  if (options.format == cli::AnswerFormat::kText) {
    ModuleResult elements = *result;
    elements.errors.clear();
    elements.statistics = nullptr;
    for (const std::string& line :
         PrintResult(module, elements, options.show == cli::Show::kFound)) {
      terminal.Data(EscapeForTerminal(line) + "\n");
    }
  } else {
    cli::Question question;
    question.name = std::string(module.name);
    question.target = "local";
    question.validfrom = question.expireafter = Now();
    question.modules = {std::string(module.name)};
    const auto printer =
        cli::MakeAnswerPrinter(options.format, options.show, std::move(question), terminal);
    printer->Part(here, part);
    printer->Ended(here, end);
    printer->Finish(tally.ToJson(elapsed));
  }
  // What was looked at and what was not is part of every answer, found or not.
  for (const std::string& error : result->errors) {
    // MIG's file module writes "ERROR: " itself.
    terminal.Remark(error.starts_with("ERROR") ? error : "error: " + error, cli::Style::kYellow);
  }
  for (const std::string& missing : result->sandbox_missing) {
    terminal.Remark("sandbox: " + missing, cli::Style::kDim);
  }
  if (module.print_statistics != nullptr && result->statistics.is_object()) {
    for (const std::string& line : module.print_statistics(result->statistics)) {
      terminal.Remark(line, cli::Style::kDim);
    }
  }
  return cli::Finish(terminal, tally.Status());
}

}  // namespace mig
