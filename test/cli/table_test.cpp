#include "cli/table.h"

#include <catch2/catch.hpp>

using namespace mig::cli;

TEST_CASE("table: columns are aligned and lines have no trailing space", "[cli]") {
  Table table({{"NAME"}, {"COUNT", true}, {"LAST"}});
  table.Add({"web1", "7", "x"});
  table.Add({"database-1", "1234", ""});
  CHECK(table.Render(0) ==
        "NAME        COUNT  LAST\n"
        "web1            7  x\n"
        "database-1   1234\n");
}

TEST_CASE("table: a name from an endpoint cannot steer the terminal", "[cli]") {
  Table table({{"NAME"}});
  table.Add({"\x1b[2Jevil\nNAME"});
  CHECK(table.Render(0) == "NAME\n\\x1b[2Jevil\\nNAME\n");
}

TEST_CASE("table: a long line is cut in the middle of what may be cut", "[cli]") {
  Table table({{"ID"}, {"PATH", false, true}});
  table.Add({"1234567890", "/usr/share/doc/package/changelog.gz"});
  const std::string text = table.Render(40);
  CHECK(text.find("1234567890  /usr/share/do\xE2\x80\xA6"
                  "e/changelog.gz\n") != std::string::npos);
  // Nothing else may be cut, even if the line is then too long.
  CHECK(table.Render(10).find("1234567890") != std::string::npos);
}

TEST_CASE("table: width counts what is seen, not bytes", "[cli]") {
  CHECK(DisplayWidth("gr\xc3\xbc\xc3\x9f") == 4);
  CHECK(DisplayWidth("\xE6\x97\xA5\xE6\x9C\xAC") == 4);  // two wide characters
  CHECK(DisplayWidth("e\xCC\x81") == 1);                 // e with a combining accent
  CHECK(DisplayWidth("\xF0\x9F\x98\x80") == 2);          // an emoji
  CHECK(ElideMiddle("abcdefghij", 5) == "ab\xE2\x80\xA6ij");
  CHECK(ElideMiddle("abcdefghij", 10) == "abcdefghij");
  CHECK(DisplayWidth(ElideMiddle("\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97\xA5\xE6\x9C\xAC", 5)) <= 5);
}
