#include "modules/file/content.h"

#include <catch2/catch.hpp>

#include "modules/file/pattern.h"

using namespace mig;
using namespace mig::file;

namespace {

const LiteralSet kNoLiterals;

Search SearchOf(const std::vector<std::string>& contents, bool macroal = false) {
  json::array list(contents.begin(), contents.end());
  const json::object parameters{
      {"searches",
       json::object{{"s", json::object{{"paths", json::array{"/"}},
                                       {"contents", std::move(list)},
                                       {"options", json::object{{"matchall", false},
                                                                {"macroal", macroal}}}}}}}};
  auto searches = ParseSearches(parameters);
  REQUIRE(searches);
  return std::move(searches->front());
}

// The answers to all contents, for a file that comes `step` bytes at a time: "yn".
std::string Answers(const Search& search, BytesView content, std::size_t step,
                    bool* long_line = nullptr) {
  ContentScan scan(kNoLiterals);
  scan.Add(search);
  while (!content.empty()) {
    scan.Feed(content.substr(0, step));
    content.remove_prefix(std::min(step, content.size()));
  }
  scan.Finish();
  if (long_line != nullptr) *long_line = scan.saw_long_line();
  std::string answers;
  for (const Check& check : search.checks) answers += scan.Answer(check) ? 'y' : 'n';
  return answers;
}

std::string Answers(const std::vector<std::string>& contents, BytesView content,
                    bool macroal = false) {
  const Search search = SearchOf(contents, macroal);
  const std::string whole = Answers(search, content, content.size() + 1);
  for (const std::size_t step : {1u, 2u, 3u, 7u}) {
    INFO("step " << step);
    CHECK(Answers(search, content, step) == whole);
  }
  return whole;
}

}  // namespace

TEST_CASE("file content: lines end at line breaks, with or without a carriage return",
          "[modules]") {
  CHECK(Answers({"^a$", "^b$", "^c$", "^$", "\r"}, "a\nb\r\nc") == "yyynn");
  CHECK(Answers({"^a\r$", "^a$"}, "a\r\r\n") == "yn");  // one carriage return belongs to the break
  CHECK(Answers({"^a\rb$", "^b$"}, "a\rb\nx\r\n") == "yn");
  CHECK(Answers({"^$", "x$"}, "\r\nx\r") == "yy");
  CHECK(Answers({"^$"}, "a\n") == "n");  // nothing follows the last line break
  CHECK(Answers({"^$"}, "a\n\n") == "y");
  CHECK(Answers({"^$", "!^$"}, "") == "ny");  // an empty file has no line
}

TEST_CASE(
    "file content: carriage returns at the ends of lines are no part of them, wherever looked for",
    "[modules]") {
  const std::string crlf = "first line\r\nsecond line\r\nthird\r\n";
  CHECK(Answers({"line$", "first line$", "third$", "line\r", "\r", "!line$", "[a-z]$",
                 "[s]econd line$"},
                crlf) == "yyynnnyy");
  CHECK(Answers({"d\r"}, "a\r\nd\rx\r\n") == "y");
}

TEST_CASE("file content: macroal asks every line", "[modules]") {
  CHECK(Answers({"^a", "!b"}, "a1\na2\r\na3", true) == "yy");
  CHECK(Answers({"^a", "!b"}, "a1\nb\na3", true) == "nn");
  CHECK(Answers({"^a", "!b"}, "a1\n\na3", true) == "ny");
  CHECK(Answers({"^a", "!b"}, "", true) == "ny");
  CHECK(Answers({"^a$"}, "a\n", true) == "y");
}

TEST_CASE("file content: a line past the bound is searched in pieces that overlap", "[modules]") {
  const std::size_t bound = kMaxLineBytes;
  const auto answers = [&](const std::vector<std::string>& contents, const std::string& content,
                           bool macroal = false) {
    bool long_line = false;
    const std::string text =
        Answers(SearchOf(contents, macroal), content, std::size_t{256} << 10, &long_line);
    CHECK(long_line);
    return text;
  };
  // Across the cut, and behind it.
  std::string content(bound + 1'000'000, 'x');
  content.replace(bound - 3, 6, "needle");
  content.replace(content.size() - 4, 4, "tail");
  CHECK(answers({"needle", "tail$", "^x", "other", "!needle"}, content + "\nnext\n") == "yyynn");
  CHECK(answers({"^next$"}, content + "\nnext\n") == "y");
  // The cut is neither a beginning nor an end.
  CHECK(answers({"^x{3}needle", "needle$", "^needle", "x\\bneedle"}, content) == "nnnn");
  // A line of which one piece matches has matched.
  CHECK(answers({"needle", "n"}, content + "\nneedle\n", true) == "yy");
  CHECK(answers({"needle"}, content + "\nother\n", true) == "n");
}

TEST_CASE(
    "file content: no match in a line past the bound is an answer only for what could not lie "
    "across",
    "[modules]") {
  const std::string before(kMaxLineBytes - 100'000, 'x');
  const std::string line = "begin" + before + std::string(1'000'000, 'y') + "end";
  const auto uncertain = [&](const char* regex, const std::string& content, bool macroal = false) {
    const Search search = SearchOf({regex}, macroal);
    ContentScan scan(kNoLiterals);
    scan.Add(search);
    for (BytesView rest = content; !rest.empty();
         rest.remove_prefix(std::min<std::size_t>(rest.size(), 1 << 18))) {
      scan.Feed(rest.substr(0, 1 << 18));
    }
    scan.Finish();
    return scan.Uncertain(search.checks.front());
  };
  CHECK(uncertain("begin.*end", line));  // it does match
  CHECK(uncertain("!begin.*end", line));
  CHECK(uncertain("x{1000}z", line));
  CHECK_FALSE(uncertain("absent", line));
  CHECK_FALSE(uncertain("!absent", line));
  CHECK_FALSE(uncertain("x+y", line));                             // seen
  CHECK_FALSE(uncertain("begin.*end", line + "\nbegin and end"));  // another line is enough
  CHECK(uncertain("begin.*end", line + "\nother"));
  CHECK(uncertain("begin.*end", line + "\nbegin and end", true));
  CHECK_FALSE(uncertain("begin.*end", line + "\nother", true));
  CHECK(uncertain("!begin.*end", line, true));
  CHECK_FALSE(uncertain("absent", line, true));
}
