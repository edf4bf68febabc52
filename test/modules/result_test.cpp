#include "modules/result.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("result: no errors are null, as MIG's clients expect", "[modules]") {
  ModuleResult result;
  result.foundanything = true;
  result.success = true;
  result.elements.emplace_object();
  CHECK(json::Write(ToJson(result)) ==
        R"({"foundanything":true,"success":true,"elements":{},"statistics":null,"errors":null})");
}

TEST_CASE("result: what is written is read back", "[modules]") {
  ModuleResult result = FailedResult("no such thing");
  result.statistics = json::object{{"n", 1}};
  result.sandbox = "partial";
  result.sandbox_missing = {"landlock: none here"};
  const auto again = ResultFromJson(ToJson(result));
  REQUIRE(again);
  CHECK(json::Write(ToJson(*again)) == json::Write(ToJson(result)));
}

TEST_CASE("result: MIG's answer of an unavailable module is read", "[modules]") {
  const auto fields = json::ParseObject(R"({"errors": ["module 'x' is not available"]})");
  const auto result = ResultFromJson(*fields);
  REQUIRE(result);
  CHECK_FALSE(result->success);
  CHECK(result->errors == std::vector<std::string>{"module 'x' is not available"});
}

TEST_CASE("result: elements that are a list or a number are refused", "[modules]") {
  for (const char* text : {R"({"elements":[1]})", R"({"elements":7})", R"({"errors":"x"})",
                           R"({"errors":[1]})", R"({"success":1})"}) {
    INFO(text);
    CHECK_FALSE(ResultFromJson(*json::ParseObject(text)));
  }
}

TEST_CASE("result: streamed elements precede those of the summary under the same label",
          "[modules]") {
  ResultJoiner joiner;
  joiner.Add("a", 2);
  joiner.Add("b", 3);
  joiner.Add("a", 4);
  ModuleResult summary;
  summary.elements = json::object{{"x", "y"}, {"a", json::array{1}}};
  const auto joined = std::move(joiner).Finish(std::move(summary));
  REQUIRE(joined);
  CHECK(json::Write(joined->elements) == R"({"x":"y","a":[2,4,1],"b":[3]})");
}

TEST_CASE("result: elements for a label that the summary uses for something else are malformed",
          "[modules]") {
  ResultJoiner joiner;
  joiner.Add("x", 2);
  ModuleResult summary;
  summary.elements = json::object{{"x", "y"}};
  CHECK(std::move(joiner).Finish(std::move(summary)).error().code() == Errc::kMalformed);
}
