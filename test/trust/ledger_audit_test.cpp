#include "trust/ledger_audit.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "test/deployment.h"

namespace mig {
namespace {

std::vector<LedgerRow> Rows(std::size_t count, std::string_view event = "startup") {
  std::vector<LedgerRow> rows;
  Bytes head = LedgerGenesis();
  for (std::size_t i = 0; i < count; ++i) {
    const LedgerEntry entry = NextEntry(i, head, TimeAt("2026-11-23T12:00:00Z"), std::string(event),
                                        json::object{{"n", i}});
    rows.push_back({entry.number, LedgerText(entry), entry.hash});
    head = entry.hash;
  }
  return rows;
}

HeldMark MarkAt(const std::vector<LedgerRow>& rows, std::uint64_t length) {
  return {{length, rows[length - 1].hash}, "the answer that Ann holds", true};
}

LedgerAudit Audited(const std::vector<LedgerRow>& rows, std::vector<HeldMark> marks = {}) {
  LedgerAudit audit(std::move(marks));
  for (const LedgerRow& row : rows) audit.Take(row);
  audit.Finish();
  return audit;
}

std::string First(const LedgerAudit& audit) {
  return audit.findings().empty() ? "nothing" : audit.findings().front().text;
}

TEST_CASE("ledger audit: a ledger that nobody touched shows nothing, and proves nothing alone",
          "[trust]") {
  const auto rows = Rows(5);
  const LedgerAudit audit = Audited(rows);
  CHECK_FALSE(audit.tampered());
  CHECK(audit.length() == 5);
  CHECK(audit.head() == rows[4].hash);
  CHECK_FALSE(audit.proven());
  CHECK_FALSE(Audited({}).tampered());
}

TEST_CASE("ledger audit: an altered, removed, doubled, moved or unreadable entry is named",
          "[trust]") {
  auto rows = Rows(6);
  const auto swap_char = [](Bytes& text, char from, char to) { text[text.find(from, 60)] = to; };
  SECTION("altered") {
    swap_char(rows[2].text, '2', '7');
    CHECK(First(Audited(rows)) == "entry 3 was changed after it was written");
  }
  SECTION("altered, with its hash") {
    swap_char(rows[2].text, '2', '7');
    rows[2].hash = Sha256(rows[2].text);
    CHECK(First(Audited(rows)).find("entry 4 does not follow the one before it") == 0);
  }
  SECTION("altered only in white space") {
    rows[2].text += ' ';
    CHECK(First(Audited(rows)) == "entry 3 was changed after it was written");
  }
  SECTION("one removed") {
    rows.erase(rows.begin() + 2);
    CHECK(First(Audited(rows)) == "entry 3 is missing");
  }
  SECTION("several removed") {
    rows.erase(rows.begin() + 1, rows.begin() + 4);
    CHECK(First(Audited(rows)) == "entries 2 to 4 are missing");
  }
  SECTION("the first removed") {
    rows.erase(rows.begin());
    CHECK(First(Audited(rows)) == "entry 1 is missing");
  }
  SECTION("one removed and those behind it renumbered") {
    rows.erase(rows.begin() + 2);
    for (std::size_t i = 2; i < rows.size(); ++i) rows[i].number = i + 1;
    CHECK(First(Audited(rows)) == "entry 3 was moved: it was written as entry 4");
  }
  SECTION("two swapped") {
    std::swap(rows[2].text, rows[3].text);
    std::swap(rows[2].hash, rows[3].hash);
    CHECK(First(Audited(rows)) == "entry 3 was moved: it was written as entry 4");
  }
  SECTION("doubled") {
    rows.insert(rows.begin() + 2, rows[1]);
    CHECK(First(Audited(rows)) == "entry 2 stands there twice, or out of its order");
  }
  SECTION("not readable") {
    rows[2].text = "{";
    CHECK(First(Audited(rows)).find("entry 3 cannot be read") == 0);
  }
  CHECK(Audited(rows).tampered());
}

TEST_CASE("ledger audit: a cut tail shows by an anchor, and only by one", "[trust]") {
  auto rows = Rows(6);
  const HeldMark mark = MarkAt(rows, 5);
  rows.resize(4);
  CHECK_FALSE(Audited(rows).tampered());
  const LedgerAudit audit = Audited(rows, {mark});
  CHECK(First(audit) ==
        "the end was cut off: there are 4 entries, and the answer that Ann holds vouches for 5");
  CHECK_FALSE(audit.proven());
}

TEST_CASE("ledger audit: a chain made anew from the start shows by an anchor, and only by one",
          "[trust]") {
  const HeldMark mark = MarkAt(Rows(6), 5);
  const auto forged = Rows(6, "refused");
  CHECK_FALSE(Audited(forged).tampered());
  CHECK(First(Audited(forged, {mark})) ==
        "entry 5 is not the one that the answer that Ann holds vouches for");
}

TEST_CASE("ledger audit: the greatest anchor that holds says how far the ledger is proven",
          "[trust]") {
  const auto rows = Rows(6);
  LedgerAudit audit = Audited(rows, {MarkAt(rows, 5), MarkAt(rows, 2)});
  CHECK_FALSE(audit.tampered());
  REQUIRE(audit.proven());
  CHECK(audit.proven()->mark.length == 5);

  SECTION("a change before it takes the proof away") {
    auto changed = rows;
    changed[1].text[changed[1].text.size() - 3] ^= 1;
    CHECK_FALSE(Audited(changed, {MarkAt(rows, 5)}).proven());
  }
  SECTION("a change behind it does not") {
    auto changed = rows;
    changed[5].text.back() = ' ';
    audit = Audited(changed, {MarkAt(rows, 5)});
    CHECK(audit.tampered());
    CHECK(audit.proven());
  }
  SECTION("a mark from this disk proves nothing, and shows a cut tail all the same") {
    HeldMark own = MarkAt(rows, 5);
    own.outside = false;
    CHECK_FALSE(Audited(rows, {own}).proven());
    CHECK(Audited(Rows(3), {own}).tampered());
  }
}

TEST_CASE("ledger audit: of a ledger that is all wrong only the first findings are kept",
          "[trust]") {
  auto rows = Rows(200);
  for (LedgerRow& row : rows) row.hash = Bytes(32, 'x');
  CHECK(Audited(rows).findings().size() == LedgerAudit::kMaxFindings);
}

}  // namespace
}  // namespace mig
