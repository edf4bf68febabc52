#include "trust/ledger.h"

#include "crypto/digest.h"

namespace mig {
namespace {

constexpr std::size_t kHashBytes = 32;

}  // namespace

Bytes LedgerGenesis() { return Bytes(kHashBytes, '\0'); }

Bytes LedgerText(const LedgerEntry& entry) {
  json::object fields;
  fields["number"] = json::FromUint(entry.number);
  fields["time"] = FormatRfc3339(entry.time);
  fields["event"] = entry.event;
  fields["facts"] = entry.facts;
  fields["previous"] = EncodeHex(entry.previous);
  return json::Write(fields);
}

Expected<LedgerEntry> ReadLedgerText(BytesView text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error().During("ledger entry");
  json::ObjectReader in(*fields, "ledger entry");
  LedgerEntry entry;
  entry.number = in.Uint64("number");
  entry.time = in.Time("time");
  entry.event = in.String("event");
  if (const json::object* facts = in.Object("facts")) entry.facts = *facts;
  auto previous = DecodeHex(in.String("previous"));
  if (previous && previous->size() == kHashBytes) {
    entry.previous = std::move(*previous);
  } else {
    in.Fail("previous", "is not a SHA-256 in hex");
  }
  if (auto ok = in.Finish(); !ok) return Error(Errc::kMalformed, ok.error().message());
  entry.hash = Sha256(text);
  return entry;
}

LedgerEntry NextEntry(std::uint64_t length, BytesView head, UtcTime time, std::string event,
                      json::object facts) {
  LedgerEntry entry;
  entry.number = length + 1;
  entry.time = time;
  entry.event = std::move(event);
  entry.facts = std::move(facts);
  entry.previous = Bytes(head);
  entry.hash = Sha256(LedgerText(entry));
  return entry;
}

Expected<void> LedgerChain::Follow(const LedgerEntry& entry) {
  const std::string where = "ledger entry " + std::to_string(length_ + 1) + ": ";
  if (entry.number != length_ + 1) {
    return Error(Errc::kMalformed, where + "is missing; what stands there has the number " +
                                       std::to_string(entry.number));
  }
  if (entry.previous != head_) {
    return Error(Errc::kMalformed, where +
                                       "does not follow the one before it: one of both was "
                                       "changed after it was written");
  }
  if (Sha256(LedgerText(entry)) != entry.hash) {
    return Error(Errc::kMalformed, where + "was changed after it was written");
  }
  ++length_;
  head_ = entry.hash;
  return {};
}

Expected<void> VerifyLedger(const std::vector<LedgerEntry>& entries) {
  LedgerChain chain;
  for (const LedgerEntry& entry : entries) {
    if (auto ok = chain.Follow(entry); !ok) return ok;
  }
  return {};
}

}  // namespace mig
