// Has anybody changed this ledger? Takes the rows of a ledger as they lie on the disk, in order,
// and the anchors that others hold (trust/ledger_anchor.h), and says what was altered, removed,
// doubled or moved, where the end was cut off, and up to which entry somebody outside vouches for
// it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/result.h"
#include "trust/ledger.h"

namespace mig {

// A row as it lies there: nothing of it is believed.
struct LedgerRow {
  std::uint64_t number = 0;
  Bytes text;
  Bytes hash;
};

// A mark to hold the ledger against, with who vouches for it in words: "the answer to action X,
// which Ann holds".
struct HeldMark {
  LedgerMark mark;
  std::string voucher;
  // Kept outside the machine. What lies on its own disk can show that somebody was careless, and
  // proves nothing when it agrees.
  bool outside = true;
};

struct LedgerFinding {
  std::uint64_t number = 0;  // of the entry where it shows
  std::string text;          // a sentence without a full stop
};

class LedgerAudit {
 public:
  // At most this many findings are kept; after the first few nobody reads on.
  static constexpr std::size_t kMaxFindings = 20;

  explicit LedgerAudit(std::vector<HeldMark> marks);

  // The next row. The entry, when its text can be read; what is wrong with it stands in the
  // findings, and the audit goes on from there as if it were right.
  std::optional<LedgerEntry> Take(const LedgerRow& row);
  // Once, after the last row.
  void Finish();

  const std::vector<LedgerFinding>& findings() const { return findings_; }
  bool tampered() const { return !findings_.empty(); }
  std::uint64_t length() const { return length_; }
  const Bytes& head() const { return head_; }

  // The outside mark with the greatest length that holds; nothing when none does. Only after
  // Finish.
  const std::optional<HeldMark>& proven() const { return proven_; }

 private:
  void Find(std::uint64_t number, std::string text);
  void CheckMarks();

  std::multimap<std::uint64_t, HeldMark> marks_;  // those not yet reached, by length
  std::vector<LedgerFinding> findings_;
  std::uint64_t length_ = 0;  // number of the last row
  Bytes head_ = LedgerGenesis();
  std::optional<HeldMark> proven_;
};

}  // namespace mig
