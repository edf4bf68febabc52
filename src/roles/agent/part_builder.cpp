#include "roles/agent/part_builder.h"

#include <cassert>

#include "crypto/digest.h"

namespace mig::agent {
namespace {

// Everything of a part that is not elements or summary: names of fields, ids, digests, times.
constexpr std::size_t kPartOverhead = 1024;
constexpr std::size_t kRoom = kMaxPartPayloadBytes - kPartOverhead;

// As EncodeResultPart will write it: not frame.encoded_bytes, because what a child wrote as 1.1 is
// written as 1.1E0, and a list of such numbers would burst the part. A label may have escapes.
std::size_t WrittenBytes(const ElementFrame& frame) {
  constexpr std::size_t kAround = sizeof(R"({"label":,"value":},)");
  return json::Write(frame.element).size() + json::Write(json::FromName(frame.label)).size() +
         kAround;
}

std::size_t WrittenBytes(const OperationSummary& summary) {
  constexpr std::size_t kAround = 128;  // names of fields, status
  return json::Write(summary.result).size() + summary.sandbox.size() + kAround;
}

}  // namespace

PartBuilder::PartBuilder(const AgentId& agent, const ActionId& action, const Limits& limits,
                         const store::PartsProgress& progress)
    : agent_(agent),
      action_(action),
      limits_(limits),
      operation_(progress.operations_ended),
      next_seq_(progress.next_seq),
      previous_(progress.last_digest) {}

void PartBuilder::BeginOperation(std::uint32_t operation) {
  assert(elements_.empty() && "the operation before was not ended");
  operation_ = operation;
}

PartBuilder::Added PartBuilder::Add(const ElementFrame& frame) {
  if (rows_ >= limits_.rows) return Added::kOverRows;
  if (frame.encoded_bytes > limits_.bytes - bytes_) return Added::kOverBytes;
  const std::size_t written = WrittenBytes(frame);
  if (written > kRoom) return Added::kTooLarge;
  if (pending_bytes_ + written > kRoom) return Added::kFull;
  pending_bytes_ += written;
  ++rows_;
  bytes_ += frame.encoded_bytes;
  elements_.push_back(ResultElement{frame.label, frame.element});
  return Added::kTaken;
}

UnsignedPart PartBuilder::Cut(UtcTime now, const LedgerMark& ledger) const {
  return Close(ResultPart{}, now, ledger);
}

bool PartBuilder::SummaryFits(const OperationSummary& summary) const {
  return elements_.empty() || pending_bytes_ + WrittenBytes(summary) <= kRoom;
}

UnsignedPart PartBuilder::End(OperationSummary summary, std::optional<CommandStatus> final_status,
                              UtcTime now, const LedgerMark& ledger) const {
  if (WrittenBytes(summary) > kRoom) {
    summary.status = CommandStatus::kFailed;
    summary.result = ToJson(FailedResult("the module's summary was too large to be sent"));
  }
  ResultPart part;
  part.summary = std::move(summary);
  part.last = final_status.has_value();
  part.status = final_status;
  return Close(std::move(part), now, ledger);
}

UnsignedPart PartBuilder::Close(ResultPart part, UtcTime now, const LedgerMark& ledger) const {
  part.agent = agent_;
  part.action = action_;
  part.seq = next_seq_;
  part.previous = previous_;
  part.operation = operation_;
  part.elements = elements_;
  part.time = now;
  part.ledger = ledger;

  UnsignedPart closed;
  closed.seq = part.seq;
  closed.ends_operation = part.summary.has_value();
  closed.last = part.last;
  closed.payload = EncodeResultPart(part);
  closed.digest = Sha256(closed.payload);
  return closed;
}

void PartBuilder::Stored(const UnsignedPart& part) {
  assert(part.seq == next_seq_);
  ++next_seq_;
  previous_ = part.digest;
  elements_.clear();
  pending_bytes_ = 0;
}

void PartBuilder::DropElements() {
  rows_ -= elements_.size();
  for (const ResultElement& element : elements_) bytes_ -= json::Write(element.value).size();
  elements_.clear();
  pending_bytes_ = 0;
}

}  // namespace mig::agent
