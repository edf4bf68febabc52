// The ledger's rules: a hash chain of entries that hold digests and counts, never elements. Pure;
// store/agent_db.h keeps the entries, roles/agent/report.h prints them for the machine's owner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/ids.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

struct LedgerEntry {
  std::uint64_t number = 0;  // 1, 2, 3, …
  UtcTime time;
  std::string event;   // accepted refused started answered stopped policy startup identity held
  json::object facts;  // action id, name, people, modules, digest, code, counts
  Bytes previous;      // hash of entry number-1; 32 zero bytes for the first
  Bytes hash;          // SHA-256 of the entry's text (LedgerText)
};

// What the first entry follows.
Bytes LedgerGenesis();

// The bytes that are hashed and stored: one JSON line, fields in fixed order, hash left out.
Bytes LedgerText(const LedgerEntry& entry);

// Reads a stored text; `hash` is computed over the bytes as they stand. Error: kMalformed.
Expected<LedgerEntry> ReadLedgerText(BytesView text);

// The entry that follows a ledger of `length` entries whose last hash is `head`.
LedgerEntry NextEntry(std::uint64_t length, BytesView head, UtcTime time, std::string event,
                      json::object facts);

// Follows a ledger entry by entry, so that one of any length can be verified in little memory.
class LedgerChain {
 public:
  std::uint64_t length() const { return length_; }
  const Bytes& head() const { return head_; }

  // Error: kMalformed, the number of the first entry that does not follow, and why. The chain is
  // as before then.
  Expected<void> Follow(const LedgerEntry& entry);

 private:
  std::uint64_t length_ = 0;
  Bytes head_ = LedgerGenesis();
};

// Error: the number of the first entry that does not follow.
Expected<void> VerifyLedger(const std::vector<LedgerEntry>& entries);

}  // namespace mig
