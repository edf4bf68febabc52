// src/mqtt/README.md against the numbers of the standard, the scenarios and the test cases: nothing
// is missing, and nothing is claimed that is not there.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "test/mqtt/scenario.h"
#include "util/text.h"

namespace mig::mqtt {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = MIG_SOURCE_DIR;

struct Row {
  std::string number;  // "3.1.2-7"
  std::string words;
  std::string shown;
};

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  INFO(file);
  REQUIRE(in.good());
  return text.str();
}

// Both files begin a version's part with its name.
std::map<std::string, std::set<std::string>> ReadNumbers() {
  std::map<std::string, std::set<std::string>> numbers;
  std::string version;
  std::istringstream in(ReadAll(kRoot / "test/mqtt/statements.txt"));
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line == "5.0" || line == "3.1.1") {
      version = line;
      continue;
    }
    std::istringstream words(line);
    std::string section;
    words >> section;
    for (std::string range; words >> range;) {
      const auto dash = range.find('-');
      const int from = std::stoi(range);
      const int to = dash == std::string::npos ? from : std::stoi(range.substr(dash + 1));
      for (int i = from; i <= to; ++i) {
        numbers[version].insert(section + "-" + std::to_string(i));
      }
    }
  }
  return numbers;
}

std::map<std::string, std::vector<Row>> ReadTables() {
  std::map<std::string, std::vector<Row>> tables;
  std::string version;
  std::istringstream in(ReadAll(kRoot / "src/mqtt/README.md"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## MQTT ")) version = line.substr(8);
    if (version.empty() || !line.starts_with("| ") || line.starts_with("| MQTT-")) continue;
    const auto cells = Split(line, '|');
    INFO(line);
    REQUIRE(cells.size() == 5);  // before the first and after the last bar there is nothing
    tables[version].push_back(
        {std::string(Trim(cells[1])), std::string(Trim(cells[2])), std::string(Trim(cells[3]))});
  }
  return tables;
}

std::vector<std::string> Quoted(const std::string& text) {
  std::vector<std::string> quoted;
  for (auto at = text.find('`'); at != std::string::npos;) {
    const auto end = text.find('`', at + 1);
    REQUIRE(end != std::string::npos);
    quoted.push_back(text.substr(at + 1, end - at - 1));
    at = text.find('`', end + 1);
  }
  return quoted;
}

std::set<std::string> TestCases() {
  std::set<std::string> names;
  const std::string begin = "TEST_CASE(\"";
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "test")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = ReadAll(entry.path());
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
      const auto start = at + begin.size();
      names.insert(text.substr(start, text.find('"', start) - start));
    }
  }
  return names;
}

std::vector<Scenario> Scenarios() {
  auto scenarios = LoadScenarios(kRoot / "test/mqtt/scenarios");
  if (!scenarios) FAIL(scenarios.error().message());
  return std::move(*scenarios);
}

TEST_CASE("standard: the table has every statement of both versions, once", "[mqtt]") {
  const auto numbers = ReadNumbers();
  auto tables = ReadTables();
  REQUIRE(numbers.size() == 2);
  CHECK(numbers.at("5.0").size() == 251);
  CHECK(numbers.at("3.1.1").size() == 141);
  for (const auto& [version, all] : numbers) {
    std::set<std::string> seen;
    for (const Row& row : tables[version]) {
      INFO(version << " MQTT-" << row.number);
      CHECK(all.contains(row.number));
      CHECK(seen.insert(row.number).second);
      CHECK_FALSE(row.words.empty());
    }
    for (const std::string& number : all) {
      INFO(version << " MQTT-" << number);
      CHECK(seen.contains(number));
    }
  }
}

TEST_CASE("standard: every statement is shown by a test that says so, or has its reason",
          "[mqtt]") {
  std::map<std::string, const Scenario*> scenarios;
  const auto all = Scenarios();
  for (const Scenario& scenario : all) scenarios[scenario.title] = &scenario;
  const auto test_cases = TestCases();
  const std::string rules = ReadAll(kRoot / "test/mqtt/client_rules.cpp");
  for (const auto& [name, rows] : ReadTables()) {
    const Version version = name == "5.0" ? Version::k5 : Version::k311;
    for (const Row& row : rows) {
      const std::string statement = "MQTT-" + row.number;
      INFO(name << " " << statement << ": " << row.shown);
      const auto quoted = Quoted(row.shown);
      if (quoted.empty()) {
        CHECK((row.shown.starts_with("a client's duty") ||
               row.shown.starts_with("does not apply: ")));
      }
      for (const std::string& title : quoted) {
        INFO("`" << title << "`");
        const auto scenario = scenarios.find(title);
        if (scenario != scenarios.end()) {
          REQUIRE(scenario->second->versions.contains(version));
          const auto& statements = scenario->second->versions.at(version);
          CHECK(std::ranges::find(statements, statement) != statements.end());
        } else if (title == "client_rules.h") {
          CHECK(rules.find("[" + statement + "]") != std::string::npos);
        } else {
          CHECK(test_cases.contains(title));
        }
      }
    }
  }
}

TEST_CASE("standard: every statement that a scenario claims is in the table as shown", "[mqtt]") {
  std::map<std::string, std::set<std::string>> shown;
  for (const auto& [version, rows] : ReadTables()) {
    for (const Row& row : rows) {
      if (!Quoted(row.shown).empty()) shown[version].insert("MQTT-" + row.number);
    }
  }
  for (const Scenario& scenario : Scenarios()) {
    for (const auto& [version, statements] : scenario.versions) {
      for (const std::string& statement : statements) {
        INFO(scenario.file.filename().string() << ":" << scenario.line << ": " << statement);
        CHECK(shown[std::string(VersionName(version))].contains(statement));
      }
    }
  }
}

}  // namespace
}  // namespace mig::mqtt
