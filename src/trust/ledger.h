// The ledger's rules: a hash chain of entries that hold digests and counts, never elements. Pure;
// store/agent_db keeps the entries.
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
  std::string event;   // accepted refused started answered stopped policy startup
  json::object facts;  // action id, name, people, modules, digest, code, counts
  Bytes previous;      // hash of entry number-1; 32 zero bytes for the first
  Bytes hash;          // SHA-256 of the entry's canonical text (LedgerText)
};

// The bytes that are hashed and stored: one JSON line, fields in fixed order, hash left out.
Bytes LedgerText(const LedgerEntry& entry);
LedgerEntry NextEntry(std::uint64_t length, BytesView head, UtcTime time, std::string event,
                      json::object facts);
// Error: the number of the first entry that does not follow.
Expected<void> VerifyLedger(const std::vector<LedgerEntry>& entries);

}  // namespace mig
