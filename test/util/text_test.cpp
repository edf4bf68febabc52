#include "util/text.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("text: ill-formed UTF-8 is told from well-formed", "[util]") {
  CHECK(IsUtf8("gr\xc3\xbc\xc3\x9f"));
  CHECK(IsUtf8("\xf0\x9f\x98\x80"));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
                          "\xf5\x80\x80\x80", "\xe0\x80\x80"}) {
    CHECK_FALSE(IsUtf8(bad));
  }
}

TEST_CASE("text: nothing from elsewhere can steer the terminal", "[util]") {
  CHECK(EscapeForTerminal("plain \xc3\xbc") == "plain \xc3\xbc");
  CHECK(EscapeForTerminal("C:\\dir") == "C:\\dir");
  CHECK(EscapeForTerminal("\x1b[2J") == "\\x1b[2J");
  CHECK(EscapeForTerminal("a\nb\\n") == "a\\nb\\\\n");
  CHECK(EscapeForTerminal("\xff") == "\\xff");
  CHECK(EscapeForTerminal("x\xe2\x80\xaey") == "x\\u{202e}y");
  CHECK(EscapeForTerminal("\xc2\x9b") == "\\u{9b}");
}

TEST_CASE("text: near words", "[util]") {
  const std::vector<std::string> verbs = {"query", "console", "relay", "agent"};
  CHECK(NearWords("qeury", verbs) == std::vector<std::string>{"query"});
  CHECK(NearWords("zzz", verbs).empty());
  CHECK(DidYouMean("agnet", verbs) == "did you mean `agent`?");
}

TEST_CASE("text: splitting keeps empty parts", "[util]") {
  CHECK(Split("a//b", '/').size() == 3);
  CHECK(Split("", '/').size() == 1);
  CHECK(Trim("  x \n") == "x");
  CHECK(GroupThousands(1234567) == "1,234,567");
  CHECK(Count(1, "agent") == "1 agent");
  CHECK(Count(2000, "agent") == "2,000 agents");
}

TEST_CASE("text: a prefix never cuts a character", "[util]") {
  const std::string text = "a\xc3\xa4\xe2\x82\xac";  // a, two bytes, three bytes
  CHECK(Utf8Prefix(text, 6) == text);
  CHECK(Utf8Prefix(text, 5) == text.substr(0, 3));
  CHECK(Utf8Prefix(text, 4) == text.substr(0, 3));
  CHECK(Utf8Prefix(text, 3) == text.substr(0, 3));
  CHECK(Utf8Prefix(text, 2) == "a");
  CHECK(Utf8Prefix(text, 0).empty());
}

TEST_CASE("text: wrapping breaks at spaces, and only where a line would be too long", "[util]") {
  CHECK(WrapText("", 4, 10) == "");
  CHECK(WrapText("one two", 4, 20) == "one two");
  CHECK(WrapText("one two three", 4, 11) == "one two\n    three");
  CHECK(WrapText("one two three", 4, 10) == "one\n    two\n    three");
  // A word that is too long has a line of its own, and is not cut.
  CHECK(WrapText("a incomprehensible b", 2, 8) == "a\n  incomprehensible\n  b");
}
