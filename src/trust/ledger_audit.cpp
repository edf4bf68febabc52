#include "trust/ledger_audit.h"

#include "crypto/digest.h"

namespace mig {

LedgerAudit::LedgerAudit(std::vector<HeldMark> marks) {
  for (HeldMark& held : marks) {
    const std::uint64_t length = held.mark.length;
    marks_.emplace(length, std::move(held));
  }
  CheckMarks();  // an agent may have spoken before its first entry
}

void LedgerAudit::Find(std::uint64_t number, std::string text) {
  if (findings_.size() < kMaxFindings) findings_.push_back({number, std::move(text)});
}

std::optional<LedgerEntry> LedgerAudit::Take(const LedgerRow& row) {
  const std::uint64_t expected = length_ + 1;
  const std::string where = "entry " + std::to_string(row.number);
  if (row.number > expected) {
    Find(expected, row.number == expected + 1
                       ? "entry " + std::to_string(expected) + " is missing"
                       : "entries " + std::to_string(expected) + " to " +
                             std::to_string(row.number - 1) + " are missing");
    // No mark below can be held against anything.
    marks_.erase(marks_.begin(), marks_.lower_bound(row.number));
  } else if (row.number < expected) {
    Find(row.number, where + " stands there twice, or out of its order");
  }
  std::optional<LedgerEntry> entry;
  auto read = ReadLedgerText(row.text);
  if (!read) {
    Find(row.number, where + " cannot be read (" + read.error().message() + ")");
  } else {
    entry = std::move(*read);
    if (entry->hash != row.hash) {
      Find(row.number, where + " was changed after it was written");
    } else if (entry->number != row.number) {
      Find(row.number,
           where + " was moved: it was written as entry " + std::to_string(entry->number));
    } else if (row.number == expected && entry->previous != head_) {
      Find(row.number, where +
                           " does not follow the one before it: one of both was changed after "
                           "it was written");
    }
  }
  if (row.number < expected) return entry;
  length_ = row.number;
  // Over the bytes that lie there: the stored hash may be what was altered.
  head_ = Sha256(row.text);
  CheckMarks();
  return entry;
}

void LedgerAudit::CheckMarks() {
  for (auto held = marks_.begin(); held != marks_.end() && held->first <= length_;
       held = marks_.erase(held)) {
    if (held->second.mark.head != head_) {
      Find(length_, "entry " + std::to_string(length_) + " is not the one that " +
                        held->second.voucher + " vouches for");
    } else if (held->second.outside) {
      proven_ = std::move(held->second);
    }
  }
}

void LedgerAudit::Finish() {
  for (const auto& [length, held] : marks_) {
    Find(length_ + 1, "the end was cut off: there are " + std::to_string(length_) +
                          " entries, and " + held.voucher + " vouches for " +
                          std::to_string(length));
  }
  marks_.clear();
  // What lies before a break may be right or not; a mark behind it proves what follows only.
  if (proven_ && tampered() && findings_.front().number <= proven_->mark.length) proven_.reset();
}

}  // namespace mig
