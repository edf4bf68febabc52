#include "modules/file/pattern.h"

#include <catch2/catch.hpp>
#include <random>

using namespace mig;
using namespace mig::file;

namespace {

std::shared_ptr<const BytePattern> Compiled(const std::string& text) {
  auto pattern = BytePattern::Compile(text);
  INFO(text);
  REQUIRE(pattern);
  return *pattern;
}

// "=" in front: nothing but the literal; "i": in either case.
std::string Required(const std::string& pattern) {
  bool fold = false;
  bool whole = false;
  const std::string literal = RequiredLiteral(pattern, &fold, &whole);
  if (literal.empty()) return "";
  return (fold ? "i" : "") + (whole ? "=" + literal : literal);
}

// What MatchesSomeLine promises, the slow way.
bool SomeLine(const BytePattern& pattern, BytesView block) {
  for (;;) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    if (pattern.Matches(block.substr(0, end))) return true;
    if (end == block.size()) return false;
    block.remove_prefix(end + 1);
  }
}

}  // namespace

TEST_CASE("file pattern: ASCII sees bytes, other characters are characters", "[modules]") {
  CHECK(Compiled("^.$")->Matches("\xff"));
  CHECK(Compiled("^..$")->Matches("\xc3\xa9"));
  CHECK(Compiled("^[\xc3\xa9x]$")->Matches("\xc3\xa9"));
  CHECK_FALSE(Compiled("^[\xc3\xa9x]$")->Matches("\xc3"));
  CHECK(Compiled("(?i)\xc3\x89")->Matches("\xc3\xa9"));
  CHECK(Compiled("^\\pL$")->Matches("\xc3\xa9"));
  CHECK(Compiled("\\xff")->Matches("\xff"));
}

TEST_CASE("file pattern: what RE2 refuses is refused with its reason", "[modules]") {
  for (const char* text : {"(", "a)b(", "[", "a**", "\\", "(?P<n>", "\\8", "x{1001}"}) {
    INFO(text);
    auto pattern = BytePattern::Compile(text);
    REQUIRE_FALSE(pattern);
    CHECK(pattern.error().code() == Errc::kInvalid);
    CHECK(pattern.error().message().starts_with("regular expression: "));
  }
}

TEST_CASE("file pattern: the literal that a match must contain", "[modules]") {
  CHECK(Required("needle") == "=needle");
  CHECK(Required("eval\\(base64_decode") == "=eval(base64_decode");
  CHECK(Required("^root:") == "root:");
  CHECK(Required("[a-z]+_secret=.*x") == "_secret=");
  CHECK(Required("ab?cde") == "cde");
  CHECK(Required("ab*") == "a");
  CHECK(Required("ab+c") == "ab");
  CHECK(Required("abc{2,3}") == "ab");
  CHECK(Required("a{b}cd") == "b}cd");
  CHECK(Required("(one|two)three") == "three");
  CHECK(Required("a\\d+bcd") == "bcd");
  CHECK(Required("[]x]abc[[:alpha:]x]") == "abc");
  CHECK(Required("caf\xc3\xa9*") == "caf");
  CHECK(Required("(?i)Needle") == "i=needle");
  CHECK(Required("(?i)^NEE\\.dle[0-9]") == "inee.dle");
  // Nothing is certain.
  CHECK(Required("one|two").empty());
  CHECK(Required("abc|").empty());
  CHECK(Required("(?i)(a)").empty());
  CHECK(Required("(?i)caf\xc3\xa9").empty());
  CHECK(Required("(?i:needle)").empty());
  CHECK(Required("abc(?i)def").empty());
  CHECK(Required(".*").empty());
  CHECK(Required("").empty());
  CHECK(Required("ab\\x41|cd").empty());
  CHECK(Required("ab\\x41cd") == "ab");
  CHECK(Required("a\nb").empty());
  CHECK(Required("\\Qa|b\\E").empty());
}

TEST_CASE("file pattern: a literal is found wherever it is, and only there", "[modules]") {
  const BytesView text = "aab aaab";
  CHECK(Literal("aab").FindIn(text) == 0);
  CHECK(Literal("aab").FindIn(text, 1) == 5);
  CHECK(Literal("aab").FindIn(text, 6) == BytesView::npos);
  CHECK(Literal("aab").FindIn("aa") == BytesView::npos);
  CHECK(Literal("a").FindIn("") == BytesView::npos);
  CHECK(Literal("@[`{k", true).FindIn("@[`{K") == 0);
  CHECK(Literal("@k", true).FindIn("`K") == BytesView::npos);  // 0x20 apart, but no letters
}

TEST_CASE("file pattern: vectors find what a plain search finds", "[modules]") {
  std::mt19937 random(7);  // NOLINT: the same questions every time
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 200, 'a');
    for (char& c : text) c = "aabbcz\n\xff"[random() % 8];
    std::string needle(1 + random() % 5, 'a');
    for (char& c : needle) c = "aabbcz\xff"[random() % 7];
    const std::size_t from = random() % (text.size() + 1);
    INFO("needle " << needle << " in " << text << " from " << from);
    CHECK(Literal(needle).FindIn(text, from) == text.find(needle, from));
    std::string mixed = text;
    for (char& c : mixed) {
      if (random() % 2 == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    CHECK(Literal(needle, true).FindIn(mixed, from) == text.find(needle, from));
  }
}

TEST_CASE("file pattern: a block is searched line by line, whatever the pattern says",
          "[modules]") {
  const BytesView block = "first\nsecond\n\nlast";
  for (const char* yes : {"^second$", "^$", "t$", "\\Asecond\\z", "(?-m)^last$", "(?s)^s.*d$",
                          "(?i)SECOND", "\\bsecond\\b", "st", "\\Qsec\\E"}) {
    INFO(yes);
    CHECK(Compiled(yes)->MatchesSomeLine(block));
  }
  for (const char* no : {"first.second", "t\\ss", "t[^x]s", "(?s)first.second", "first\\nsecond",
                         "d\\W*l", "\\n", "^ond$", "\\Alast\\ssecond", "t\\C+s"}) {
    INFO(no);
    CHECK_FALSE(Compiled(no)->MatchesSomeLine(block));
  }
  CHECK(Compiled("^$")->MatchesSomeLine(""));  // one empty line
  CHECK_FALSE(Compiled("^$")->MatchesSomeLine("x"));
  CHECK(Compiled("^$")->MatchesSomeLine("x\n"));
}

TEST_CASE("file pattern: blocks and lines agree on ten thousand random questions", "[modules]") {
  std::mt19937 random(20240601);  // NOLINT: the same questions every time
  const auto pick = [&](std::size_t bound) { return random() % bound; };
  const std::vector<std::string> pieces = {"a",  "b",   "ab",       "\\b",    "^",    "$",     ".",
                                           "a*", "b?",  "[^a]",     "\\s",    "\\W",  "(a|b)", "a+",
                                           "c",  "\\.", "b{2}",     "(ab)",   "[ab]", "a{0}",  "x*",
                                           "|",  "(b)", "\xc3\xa9", "(?:a|)", "\\d",  "ca"};
  const std::string letters = "aabBc .\n\n\r\xc3\xa9x1";
  int matched = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string text = pick(8) == 0 ? "(?i)" : "";
    for (std::size_t i = 1 + pick(5); i > 0; --i) text += pieces[pick(pieces.size())];
    auto compiled = BytePattern::Compile(text);
    if (!compiled) continue;
    std::string block;
    for (std::size_t i = pick(30); i > 0; --i) block += letters[pick(letters.size())];
    INFO("pattern " << text << " block " << block);
    const bool expected = SomeLine(**compiled, block);
    CHECK((*compiled)->MatchesSomeLine(block) == expected);
    matched += expected ? 1 : 0;
  }
  CHECK(matched > 2000);
  CHECK(matched < 8000);
}

TEST_CASE("pattern: the longest match is known where nothing repeats", "[modules]") {
  CHECK(LongestMatch("needle") == 24);
  CHECK(LongestMatch("(a|bc)[x-z]?\\d") == 4 * 14);
  for (const char* repeats : {"a*", "a+", "a{2,}", "x\\*"})
    CHECK(LongestMatch(repeats) == SIZE_MAX);
}
