#include "util/line_diff.h"

#include <catch2/catch.hpp>
#include <random>

using namespace mig;

namespace {

std::string Shown(std::string_view before, std::string_view after, std::size_t context = 100) {
  std::string text;
  for (const DiffLine& line : DiffLines(before, after, context))
    text += line.mark + line.text + "\n";
  return text;
}

// What one of the two sides was, read back from a diff with all its context.
std::string SideOf(const std::vector<DiffLine>& diff, char other) {
  std::string side;
  for (const DiffLine& line : diff) {
    if (line.mark != other) side += line.text + "\n";
  }
  if (!side.empty()) side.pop_back();
  return side;
}

}  // namespace

TEST_CASE("line diff: what was taken out and put in, with what stands around it", "[util]") {
  CHECK(Shown("a\nb\nc", "a\nb\nc").empty());
  CHECK(Shown("a\nb\nc", "a\nx\nc") == " a\n-b\n+x\n c\n");
  CHECK(Shown("a", "a\nb") == " a\n+b\n");
  CHECK(Shown("1\n2\n3\n4\n5", "1\n2\nx\n4\n5", 1) == ".\n 2\n-3\n+x\n 4\n.\n");
}

TEST_CASE("line diff: both texts can be read back from it", "[util]") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const auto text = [&] {
      std::string lines;
      for (int i = static_cast<int>(random() % 12); i >= 0; --i) {
        lines += std::string(1, static_cast<char>('a' + random() % 3)) + "\n";
      }
      lines.pop_back();
      return lines;
    };
    const std::string before = text(), after = text();
    const auto diff = DiffLines(before, after, 1000);
    if (before == after) {
      CHECK(diff.empty());
      continue;
    }
    CHECK(SideOf(diff, '+') == before);
    CHECK(SideOf(diff, '-') == after);
  }
}

TEST_CASE("line diff: texts without a common line, too large for a shortest script", "[util]") {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  const auto diff = DiffLines(before, after, 1000);
  CHECK(SideOf(diff, '+') == before);
  CHECK(SideOf(diff, '-') == after);
}
