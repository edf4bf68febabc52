#include "trust/ledger.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"

namespace mig {
namespace {

std::vector<LedgerEntry> ThreeEntries() {
  std::vector<LedgerEntry> entries;
  Bytes head = LedgerGenesis();
  for (const char* event : {"startup", "accepted", "answered"}) {
    entries.push_back(NextEntry(entries.size(), head,
                                ParseRfc3339("2026-11-23T09:30:00.250Z").value(), event,
                                json::object{{"action", "abc"}, {"parts", 2}}));
    head = entries.back().hash;
  }
  return entries;
}

TEST_CASE("ledger: entries count from 1 and each carries the hash of the one before", "[trust]") {
  const auto entries = ThreeEntries();
  CHECK(entries[0].number == 1);
  CHECK(entries[0].previous == Bytes(32, '\0'));
  CHECK(entries[2].number == 3);
  CHECK(entries[2].previous == entries[1].hash);
  CHECK(VerifyLedger(entries));
  CHECK(VerifyLedger({}));
}

TEST_CASE("ledger: what is hashed is one line of JSON without the hash", "[trust]") {
  const LedgerEntry entry = ThreeEntries()[0];
  const Bytes text = LedgerText(entry);
  CHECK(text == R"({"number":1,"time":"2026-11-23T09:30:00.250Z","event":"startup",)"
                R"("facts":{"action":"abc","parts":2},"previous":")" +
                    std::string(64, '0') + R"("})");
  CHECK(entry.hash == Sha256(text));
}

TEST_CASE("ledger: an entry read back is the entry that was written", "[trust]") {
  for (const LedgerEntry& entry : ThreeEntries()) {
    const auto read = ReadLedgerText(LedgerText(entry));
    REQUIRE(read);
    CHECK(read->hash == entry.hash);
    CHECK(read->number == entry.number);
    CHECK(read->facts == entry.facts);
    CHECK(LedgerText(*read) == LedgerText(entry));
  }
}

TEST_CASE("ledger: a changed, missing, doubled or swapped entry shows, by its number", "[trust]") {
  auto entries = ThreeEntries();
  std::string finding;
  SECTION("a fact changed") {
    entries[1].facts["parts"] = 1;
    finding = "entry 2";
  }
  SECTION("a fact changed, and the hash with it") {
    entries[1].facts["parts"] = 1;
    entries[1].hash = Sha256(LedgerText(entries[1]));
    finding = "entry 3";
  }
  SECTION("the time changed") {
    entries[0].time += std::chrono::hours(1);
    finding = "entry 1";
  }
  SECTION("the first missing") {
    entries.erase(entries.begin());
    finding = "entry 1";
  }
  SECTION("one missing") {
    entries.erase(entries.begin() + 1);
    finding = "entry 2";
  }
  SECTION("one twice") {
    entries.insert(entries.begin() + 1, entries[1]);
    finding = "entry 3";
  }
  SECTION("two swapped") {
    std::swap(entries[1], entries[2]);
    finding = "entry 2";
  }
  const auto verified = VerifyLedger(entries);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().message().find(finding) != std::string::npos);
}

// A cut tail leaves a chain that follows; the length and head in signed results show it.
TEST_CASE("ledger: a cut tail changes length and head", "[trust]") {
  const auto entries = ThreeEntries();
  LedgerChain chain;
  REQUIRE(chain.Follow(entries[0]));
  REQUIRE(chain.Follow(entries[1]));
  CHECK(chain.length() == 2);
  CHECK(chain.head() != entries[2].hash);
}

TEST_CASE("ledger: text that is no entry is refused", "[trust]") {
  const Bytes good = LedgerText(ThreeEntries()[0]);
  CHECK_FALSE(ReadLedgerText(""));
  CHECK_FALSE(ReadLedgerText("{}"));
  CHECK_FALSE(ReadLedgerText(good.substr(0, good.size() - 1)));
  Bytes unknown = good;
  unknown.insert(1, R"("x":1,)");
  CHECK_FALSE(ReadLedgerText(unknown));
  Bytes shorter = good;
  shorter.erase(shorter.find("0000"), 2);
  CHECK_FALSE(ReadLedgerText(shorter));
}

}  // namespace
}  // namespace mig
