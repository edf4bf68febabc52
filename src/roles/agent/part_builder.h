// Cuts the answer of one action into result parts: elements until a part is full, a summary at the
// end of each operation, each part chained to the one before by its digest. Keeps the count against
// the action's limits. Pure; holds at most one part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "modules/frames.h"
#include "proto/limits.h"
#include "proto/result.h"
#include "store/agent_db.h"

namespace mig::agent {

// A part before it is signed.
struct UnsignedPart {
  std::uint64_t seq = 0;
  bool ends_operation = false;
  bool last = false;
  Bytes payload;
  Bytes digest;  // SHA-256 of the payload
};

class PartBuilder {
 public:
  // Goes on after `progress`.
  PartBuilder(const AgentId& agent, const ActionId& action, const Limits& limits,
              const store::PartsProgress& progress);

  // The operation whose elements follow.
  void BeginOperation(std::uint32_t operation);

  enum class Added {
    kTaken,
    kFull,      // store a part first (Cut, Stored), then add the element again
    kOverRows,  // the action may return no more elements
    kOverBytes,
    kTooLarge,  // for any part
  };
  Added Add(const ElementFrame& frame);

  // The part of the elements so far; nothing changes until it is Stored().
  UnsignedPart Cut(UtcTime now, const LedgerMark& ledger) const;

  // The part that ends the operation. Whether the summary fits beside the elements so far is the
  // first question: if not, store a Cut() before. `final_status` makes it the last part of the
  // action. A summary that fits nowhere becomes a failed one that says so.
  bool SummaryFits(const OperationSummary& summary) const;
  UnsignedPart End(OperationSummary summary, std::optional<CommandStatus> final_status, UtcTime now,
                   const LedgerMark& ledger) const;

  // The part is on disk: what follows chains to it.
  void Stored(const UnsignedPart& part);
  // Gives up the elements that are in no stored part.
  void DropElements();

  bool empty() const { return elements_.empty(); }
  // Of the whole action, for the ledger (since the last start of the agent).
  std::uint64_t parts() const { return next_seq_; }
  std::uint64_t elements() const { return rows_; }
  std::uint64_t bytes() const { return bytes_; }
  const Bytes& last_digest() const { return previous_; }
  // What the limits leave.
  std::uint64_t rows_left() const { return limits_.rows - rows_; }
  std::uint64_t bytes_left() const { return limits_.bytes - bytes_; }

 private:
  UnsignedPart Close(ResultPart part, UtcTime now, const LedgerMark& ledger) const;

  AgentId agent_;
  ActionId action_;
  Limits limits_;
  std::uint32_t operation_ = 0;
  std::uint64_t next_seq_ = 0;
  Bytes previous_;
  std::vector<ResultElement> elements_;
  std::size_t pending_bytes_ = 0;  // of elements_, as they will be written
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace mig::agent
