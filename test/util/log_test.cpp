#include "util/log.h"

#include <catch2/catch.hpp>

#include "util/json.h"

using namespace mig;

TEST_CASE("log: a hostile value stays on its line", "[util]") {
  const std::string line = log::FormatLine(log::Format::kText, "relay", log::Level::kInfo, "T",
                                           "refused", {{"client", "a\nT error relay: fake"}});
  CHECK(line == "T info relay: refused client=\"a\\nT error relay: fake\"");
}

TEST_CASE("log: JSON lines are JSON whatever the bytes", "[util]") {
  const std::string line = log::FormatLine(log::Format::kJson, "", log::Level::kError, "T", "m\"x",
                                           {{"name", "\xff\n"}});
  const auto parsed = json::ParseObject(line);
  REQUIRE(parsed);
  CHECK(parsed->at("message").as_string() == "m\"x");
  CHECK(parsed->at("name").as_string() == "\\xff\\n");
}
