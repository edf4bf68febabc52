// Writes the answer of one action: parts are signed and stored in the outbox as they become full;
// the last one finishes the action in the same transaction as its ledger entry. Nothing is sent
// from here: what is not on disk was not said.
#pragma once

#include <functional>

#include "roles/agent/identity.h"
#include "roles/agent/part_builder.h"
#include "store/agent_db.h"

namespace mig::agent {

class AnswerWriter {
 public:
  using Clock = std::function<UtcTime()>;

  // `identity` and `db` must outlive the writer.
  AnswerWriter(const Identity& identity, store::AgentDb& db, Clock clock, const ActionId& action,
               const Limits& limits, const store::PartsProgress& progress);

  void BeginOperation(std::uint32_t operation) { builder_.BeginOperation(operation); }

  enum class Added { kTaken, kOverRows, kOverBytes, kTooLarge };
  // Stores a part first when the element would not fit into the present one. Error: kFull when
  // outbox or disk has no room for that part: nothing has changed, the same may be added later.
  Expected<Added> Add(const ElementFrame& frame);

  // Ends the operation; the action goes on with the next one.
  Expected<void> EndOperation(OperationSummary summary);
  // Ends the action, also when the outbox is full: elements that then fit nowhere are given up, and
  // the summary says `truncated`. On error (the disk) it is not finished, and may be tried again.
  Expected<void> Finish(OperationSummary summary, CommandStatus status);

  std::uint64_t parts() const { return builder_.parts(); }
  std::uint64_t rows_left() const { return builder_.rows_left(); }
  std::uint64_t bytes_left() const { return builder_.bytes_left(); }

 private:
  Expected<void> Flush();
  store::NewPart Sign(const UnsignedPart& part) const;

  const Identity& identity_;
  store::AgentDb& db_;
  Clock clock_;
  ActionId action_;
  PartBuilder builder_;
};

// Says in a result's statistics that it is not all, and why.
void MarkTruncated(json::object& result, std::string_view why);

// An action that ends without having run: one last part that says why.
Expected<void> FinishWithoutRun(const Identity& identity, store::AgentDb& db,
                                const AnswerWriter::Clock& clock, const ActionId& action,
                                CommandStatus status, const std::string& why);

}  // namespace mig::agent
