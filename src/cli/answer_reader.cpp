#include "cli/answer_reader.h"

#include "util/text.h"

namespace mig::cli {
namespace {

std::size_t CountOf(const std::optional<std::vector<ShownAgent>>& shown) {
  return shown ? shown->size() : 0;
}

}  // namespace

AnswerReader::AnswerReader(Question question, std::optional<std::vector<ShownAgent>> shown,
                           const Options& options, Terminal& terminal, Clock::time_point started)
    : question_(std::move(question)),
      check_membership_(shown.has_value()),
      anchors_(options.anchors),
      terminal_(terminal),
      started_(started),
      check_(question_.id, question_.modules.size(), shown),
      tally_(CountOf(shown)),
      printer_(MakeAnswerPrinter(options.format, options.show, question_, terminal)) {
  if (!shown) return;
  // Names as they were shown: what an agent is called later is not what was decided on.
  for (const ShownAgent& agent : *shown) agents_[agent.id].name = agent.name;
}

AnswerReader::Agent& AnswerReader::Know(const AgentId& id, const std::string& name) {
  Agent& agent = agents_[id];
  if (agent.name.empty()) agent.name = name.empty() ? id.Text().substr(0, 12) : name;
  return agent;
}

bool AnswerReader::Take(const ActionEvent& event, Clock::time_point now) {
  if (const auto* part = std::get_if<PartEvent>(&event)) {
    TakePart(*part);
  } else if (const auto* command = std::get_if<CommandEvent>(&event)) {
    TakeCommand(*command);
  } else if (const auto* progress = std::get_if<ProgressEvent>(&event)) {
    progress_ = *progress;
    tally_.Targeted(progress_.targeted);
  } else if (const auto* end = std::get_if<EndEvent>(&event)) {
    progress_ = end->last;
    tally_.Targeted(progress_.targeted);
    ended_ = true;
  }
  DrawProgress(now);
  return !ended_ && terminal_.Flush();
}

void AnswerReader::TakePart(const PartEvent& part) {
  Agent& agent = Know(part.agent, part.name);
  const Answerer answerer{part.agent, agent.name};
  const ResultCheck::Verdict verdict = check_.Check(part.agent, part.key, part.envelope);
  if (verdict.fault) {
    const std::string_view fault = PartFaultText(*verdict.fault);
    agent.verified = false;
    tally_.Unverified(part.agent);
    printer_->Unverified(answerer, fault, verdict.detail);
    RemarkOn(agent.name + ": an answer " + std::string(fault) +
                 (verdict.detail.empty() ? "" : " (" + verdict.detail + ")") +
                 (verdict.part ? "" : "; it is left out"),
             Style::kRed);
  }
  if (verdict.part && !verdict.fault && anchors_ != nullptr) {
    // A missing envelope would have been a fault.
    anchors_->Take(part.agent, verdict.key, *part.envelope, *verdict.part);
  }
  if (verdict.part) {
    tally_.Part(part.agent, *verdict.part);
    printer_->Part(answerer, *verdict.part);
  }
  EndIfThrough(part.agent);
}

void AnswerReader::TakeCommand(const CommandEvent& command) {
  if (!IsFinal(command.status)) return;
  Agent& agent = Know(command.agent, command.name);
  agent.final = command;
  EndIfThrough(command.agent);
}

void AnswerReader::EndIfThrough(const AgentId& id) {
  if (tally_.HasEnded(id)) return;
  const Agent& agent = agents_[id];
  const CommandStatus signed_status = tally_.SignedStatus(id);
  AgentEnd end;
  if (check_.Complete(id)) {
    // The agent's own word, signed, counts more than the server's.
    end.status = IsFinal(signed_status) ? signed_status : CommandStatus::kSuccess;
  } else if (agent.final && agent.final->status == CommandStatus::kRefused) {
    // Nothing ran, so nothing more comes. Of any other end, parts may still be on their way.
    end.status = agent.final->status;
    end.code = agent.final->code;
    end.detail = agent.final->detail;
  } else {
    return;
  }
  End(id, std::move(end));
}

void AnswerReader::End(const AgentId& id, AgentEnd end) {
  const Agent& agent = agents_[id];
  end.found = tally_.Found(id);
  end.verified = agent.verified;
  tally_.Ended(id, end);
  printer_->Ended({id, agent.name}, end);
  // Only what is not as it should be is worth a line.
  if (end.status == CommandStatus::kSuccess) {
    if (!end.complete) {
      RemarkOn(agent.name + ": the answer is not complete: " + check_.Missing(id) + " is missing",
               Style::kYellow);
    }
    return;
  }
  if (end.status == CommandStatus::kExpired) return;  // silent: the last line says how many
  std::string line = agent.name + ": " + std::string(CommandStatusName(end.status));
  if (!end.code.empty()) line += " (" + end.code + ")";
  if (!end.detail.empty()) line += ": " + end.detail;
  RemarkOn(line, Style::kYellow);
}

void AnswerReader::RemarkOn(const std::string& line, Style style) {
  if (++remarks_ <= kMaxRemarks) terminal_.Remark(line, style);
}

void AnswerReader::DrawProgress(Clock::time_point now) {
  if (now - drawn_ < kRedraw) return;
  drawn_ = now;
  terminal_.Progress(tally_.ProgressLine(progress_.running));
}

void AnswerReader::Finish(Clock::time_point now) {
  std::vector<AgentId> open;
  for (const auto& [id, agent] : agents_) {
    const bool heard = agent.final || !agent.verified || check_.Missing(id) != "every part";
    if (heard && !tally_.HasEnded(id)) open.push_back(id);
  }
  for (const AgentId& id : open) {
    const Agent& agent = agents_[id];
    AgentEnd end;
    end.complete = false;
    if (agent.final) {
      end.status = agent.final->status;
      end.code = agent.final->code;
      end.detail = agent.final->detail;
    }
    End(id, std::move(end));
  }
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  terminal_.ClearProgress();
  json::object summary = tally_.ToJson(elapsed);
  summary["action"] = ActionStatusName(progress_.status);
  summary["membership_checked"] = check_membership_;
  printer_->Finish(summary);
  if (remarks_ > kMaxRemarks) {
    terminal_.Remark(Count(remarks_ - kMaxRemarks, "further remark") +
                     " on single agents left out; see them all with: mig results " +
                     question_.id.Text() + " --show all --json");
  }
  if (tally_.errors() > 0) {
    terminal_.Remark(
        Count(tally_.errors(), "error") + " on " + Count(tally_.agents_with_errors(), "agent") +
        " while looking; see them with: mig results " + question_.id.Text() + " --show all");
  }
  if (tally_.limited() > 0) {
    terminal_.Remark("Cut at a limit on " + Count(tally_.limited(), "agent") +
                         ": there is more than was shown (--max-rows, --max-bytes).",
                     Style::kYellow);
  }
  terminal_.Remark(tally_.FinalLine(elapsed), Style::kBold);
}

ExitStatus AnswerReader::Status() const {
  switch (progress_.status) {
    case ActionStatus::kRefused:
    case ActionStatus::kInvalid:
      return kRefused;
    default:
      return tally_.Status();
  }
}

}  // namespace mig::cli
