#include "proto/pattern.h"

#include <catch2/catch.hpp>
#include <string>

namespace mig {
namespace {

TEST_CASE("pattern: matches anywhere in the text, and minds case", "[proto]") {
  auto pattern = Pattern::Compile("b[0-9]+");
  REQUIRE(pattern);
  CHECK(pattern->Matches("db12.example"));
  CHECK_FALSE(pattern->Matches("DB12.example"));
  CHECK_FALSE(pattern->Matches(""));
}

TEST_CASE("pattern: a mistake is an error that quotes it", "[proto]") {
  auto pattern = Pattern::Compile("db[0-9");
  REQUIRE_FALSE(pattern);
  CHECK(pattern.error().code() == Errc::kMalformed);
  CHECK(pattern.error().message().find("db[0-9") != std::string::npos);
}

TEST_CASE("pattern: one that needs too much memory is refused", "[proto]") {
  CHECK_FALSE(Pattern::Compile("((((x{100}){100}){100}){100}"));
  CHECK_FALSE(Pattern::Compile("[a-z]{1000}[a-z]{1000}[a-z]{1000}\\pL{1000}"));
}

}  // namespace
}  // namespace mig
