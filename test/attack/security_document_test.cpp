// docs/security.md lists every attack with what stops it and the test that shows it: each test it
// names is there, and each attack in this folder is in its table.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "util/text.h"

namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The names of all test cases below `folder`, with strings that were broken over lines joined.
std::set<std::string> TestNames(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = ReadAll(entry.path());
    const std::string start = "TEST_CASE(\"";
    for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at)) {
      at += start.size();
      names.insert(text.substr(at, text.find('"', at) - at));
    }
  }
  return names;
}

// What stands in the last cell of the document's tables, between backquotes.
std::set<std::string> NamedTests() {
  std::set<std::string> names;
  const std::string text = ReadAll(MIG_SOURCE_DIR "/docs/security.md");
  for (const std::string_view line : mig::Split(text, '\n')) {
    if (!line.starts_with("| ") || !line.ends_with("` |")) continue;
    std::string_view cell = line.substr(0, line.size() - 2);
    cell = cell.substr(cell.rfind(" | ") + 3);
    while (!cell.empty()) {
      if (cell.front() != '`') {
        cell.remove_prefix(1);
        continue;
      }
      cell.remove_prefix(1);
      names.emplace(cell.substr(0, cell.find('`')));
      cell.remove_prefix(std::min(cell.find('`') + 1, cell.size()));
    }
  }
  return names;
}

}  // namespace

TEST_CASE("security.md: every test that it names is there", "[attack]") {
  const std::set<std::string> tests = TestNames(MIG_SOURCE_DIR "/test");
  const std::set<std::string> named = NamedTests();
  CHECK(named.size() >= 30);
  for (const std::string& name : named) {
    INFO(name);
    CHECK(tests.count(name) == 1);
  }
}

TEST_CASE("security.md: every attack that is tried stands in its table", "[attack]") {
  const std::set<std::string> named = NamedTests();
  for (const std::string& name : TestNames(MIG_SOURCE_DIR "/test/attack")) {
    if (!name.starts_with("attack: ")) continue;
    INFO(name);
    CHECK(named.count(name) == 1);
  }
}
