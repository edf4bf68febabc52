#include "roles/agent/answer_writer.h"

#include "roles/agent/crash_points.h"
#include "roles/agent/ledger_notes.h"

namespace mig::agent {

AnswerWriter::AnswerWriter(const Identity& identity, store::AgentDb& db, Clock clock,
                           const ActionId& action, const Limits& limits,
                           const store::PartsProgress& progress)
    : identity_(identity),
      db_(db),
      clock_(std::move(clock)),
      action_(action),
      builder_(identity.id(), action, limits, progress) {}

store::NewPart AnswerWriter::Sign(const UnsignedPart& part) const {
  store::NewPart signed_part;
  signed_part.action = action_;
  signed_part.seq = part.seq;
  signed_part.ends_operation = part.ends_operation;
  signed_part.digest = part.digest;
  signed_part.envelope = identity_.Sign(kResultType, part.payload);
  return signed_part;
}

Expected<void> AnswerWriter::Flush() {
  const UnsignedPart part = builder_.Cut(clock_(), db_.ledger_mark());
  Crash("agent.part.before");
  if (auto stored = db_.AddPart(Sign(part)); !stored) return stored;
  Crash("agent.part.stored");
  builder_.Stored(part);
  return {};
}

Expected<AnswerWriter::Added> AnswerWriter::Add(const ElementFrame& frame) {
  for (;;) {
    switch (builder_.Add(frame)) {
      case PartBuilder::Added::kTaken:
        return Added::kTaken;
      case PartBuilder::Added::kOverRows:
        return Added::kOverRows;
      case PartBuilder::Added::kOverBytes:
        return Added::kOverBytes;
      case PartBuilder::Added::kTooLarge:
        return Added::kTooLarge;
      case PartBuilder::Added::kFull:
        if (auto ok = Flush(); !ok) return std::move(ok).error();
    }
  }
}

Expected<void> AnswerWriter::EndOperation(OperationSummary summary) {
  if (!builder_.SummaryFits(summary)) {
    if (auto ok = Flush(); !ok) return ok;
  }
  std::optional<CommandStatus> failure;
  if (summary.status != CommandStatus::kSuccess) failure = summary.status;
  const UnsignedPart part =
      builder_.End(std::move(summary), std::nullopt, clock_(), db_.ledger_mark());
  store::NewPart signed_part = Sign(part);
  signed_part.failure = failure;
  Crash("agent.part.before");
  if (auto stored = db_.AddPart(signed_part); !stored) return stored;
  Crash("agent.part.stored");
  builder_.Stored(part);
  return {};
}

Expected<void> AnswerWriter::Finish(OperationSummary summary, CommandStatus status) {
  if (!builder_.SummaryFits(summary)) {
    auto flushed = Flush();
    if (!flushed && flushed.error().code() != Errc::kFull) return flushed;
    if (!flushed) {
      builder_.DropElements();
      MarkTruncated(summary.result, flushed.error().message());
    }
  }
  const UtcTime now = clock_();
  const UnsignedPart part = builder_.End(std::move(summary), status, now, db_.ledger_mark());
  AnswerFacts facts;
  facts.action = action_;
  facts.status = status;
  facts.parts = part.seq + 1;
  facts.elements = builder_.elements();
  facts.bytes = builder_.bytes();
  facts.result = part.digest;
  Crash("agent.finish.before");
  if (auto stored = db_.Finish(Sign(part), status, AnsweredNote(now, facts)); !stored) {
    return stored;
  }
  Crash("agent.finish.stored");
  builder_.Stored(part);
  return {};
}

void MarkTruncated(json::object& result, std::string_view why) {
  json::value& statistics = result["statistics"];
  if (!statistics.is_object()) statistics = json::object();
  statistics.get_object()["truncated"] = why;
}

Expected<void> FinishWithoutRun(const Identity& identity, store::AgentDb& db,
                                const AnswerWriter::Clock& clock, const ActionId& action,
                                CommandStatus status, const std::string& why) {
  auto progress = db.ProgressOf(action);
  if (!progress) return std::move(progress).error();
  AnswerWriter writer(identity, db, clock, action, Limits{}, *progress);
  OperationSummary summary;
  summary.status = status;
  summary.result = ToJson(FailedResult(why));
  summary.sandbox = "none";
  return writer.Finish(std::move(summary), status);
}

}  // namespace mig::agent
