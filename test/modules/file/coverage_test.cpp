// What a "no" is worth: what each search has seen of its scope, and what not.
#include <sys/stat.h>
#include <unistd.h>

#include "test/modules/file/searching.h"
#include "test/skip.h"

using namespace mig;

namespace {

namespace fs = std::filesystem;

const json::object& CoverageOf(const ModuleResult& result, const char* label = "s1") {
  return result.statistics.at("coverage").at(label).as_object();
}

std::uint64_t Number(const json::object& fields, const char* field) {
  return fields.at(field).to_number<std::uint64_t>();
}

bool HasLine(const ModuleResult& result, const std::string& text) {
  for (const std::string& line : PrintResult(*FindModule("file"), result, false)) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("file: a search that saw all of its scope is complete", "[modules]") {
  SearchTree tree;
  tree.Write("a", "x");
  tree.Write("d/b", "x");
  const auto result = RunFileSearch(OneSearch(tree.at(""), {{"contents", TextList({"absent"})}}));
  CHECK_FALSE(result.foundanything);
  CHECK(result.statistics.at("complete").as_bool());
  CHECK(CoverageOf(result).at("complete").as_bool());
  CHECK(Number(CoverageOf(result), "lookedat") == 2);
  CHECK(Number(CoverageOf(result), "missed") == 0);
  CHECK(HasLine(result, "Complete: "));
  // What is left out by the search's own words is no part of its scope, nor is what is not there.
  const auto cut = RunFileSearch(
      OneSearch(tree.at(""), {{"names", TextList({"x"})}, {"excludes", json::array{tree.at("a")}}},
                {{"maxdepth", 1}}));
  CHECK(cut.statistics.at("complete").as_bool());
  CHECK(RunFileSearch(OneSearch(tree.at("absent"), {{"names", TextList({"x"})}}))
            .statistics.at("complete")
            .as_bool());
}

TEST_CASE("file: what could not be looked at makes a search incomplete, and no other",
          "[modules]") {
  // gzip that is broken, for those who look inside.
  SearchTree tree;
  tree.Write("fine", "needle\n");
  tree.Write("broken.gz", std::string("\x1f\x8b\x08\x00garbage", 11));
  json::object parameters =
      OneSearch(tree.at(""), {{"contents", TextList({"needle"})}}, {{"decompress", true}});
  parameters["searches"].as_object()["s2"] =
      OneSearch(tree.at(""), {{"names", TextList({"gz$"})}}).at("searches").at("s1");
  const auto result = RunFileSearch(parameters);
  CHECK_FALSE(CoverageOf(result, "s1").at("complete").as_bool());
  CHECK(Number(CoverageOf(result, "s1"), "missed") == 1);
  CHECK(Number(CoverageOf(result, "s1"), "lookedat") == 1);
  CHECK(CoverageOf(result, "s2").at("complete").as_bool());
  CHECK_FALSE(result.statistics.at("complete").as_bool());
  CHECK(HasLine(result, "Incomplete: search 's1' could not look at 1 of 2 entries"));
}

TEST_CASE("file: a folder that may not be read counts as one thing missed", "[modules]") {
  if (::geteuid() == 0) MIG_SKIP("root may read every folder");
  SearchTree tree;
  tree.Write("closed/a", "x");
  tree.Write("open/b", "x");
  ::chmod(tree.at("closed").c_str(), 0);
  const auto result = RunFileSearch(OneSearch(tree.at(""), {{"names", TextList({"."})}}));
  ::chmod(tree.at("closed").c_str(), 0700);
  CHECK(Number(CoverageOf(result), "missed") == 1);
  CHECK(Number(CoverageOf(result), "lookedat") == 1);
}

TEST_CASE("file: what a file system does not tell is missed, under matchany too", "[modules]") {
  for (const bool matchall : {true, false}) {
    const auto result = RunFileSearch(
        OneSearch("/proc/self/status", {{"btimes", TextList({"<1h"})}}, {{"matchall", matchall}}));
    CHECK(Number(CoverageOf(result), "missed") == 1);
    CHECK(Number(CoverageOf(result), "lookedat") == 0);
  }
}

TEST_CASE("file: a search that stopped at its limit, or was stopped, is not complete",
          "[modules]") {
  SearchTree tree;
  for (int i = 0; i < 5; ++i) tree.Write(std::to_string(i), "x");
  const auto limited =
      RunFileSearch(OneSearch(tree.at(""), {{"names", TextList({"."})}}, {{"matchlimit", 2}}));
  CHECK_FALSE(limited.statistics.at("complete").as_bool());
  CHECK(HasLine(limited, "Incomplete: search 's1' stopped at its matchlimit."));

  struct Full : ElementSink {
    bool Emit(std::string_view, json::value) override { return false; }
  } full;
  RunContext context{full, Now()};
  const ModuleResult summary = RunModule(
      *FindModule("file"), OneSearch(tree.at(""), {{"names", TextList({"."})}}), context, false);
  CHECK_FALSE(summary.statistics.at("complete").as_bool());
  CHECK(HasLine(summary, "ended before its scope did"));
}

TEST_CASE("file: bytes are counted as read once, and as hashed for each digest", "[modules]") {
  SearchTree tree;
  tree.Write("f", std::string(1000, 'x'));
  const auto result = RunFileSearch(
      OneSearch(tree.at(""), {{"sha1", TextList({"0000000000000000000000000000000000000000"})}},
                {{"mismatch", TextList({"sha1"})}, {"returnsha256", true}}));
  CHECK(result.foundanything);
  CHECK(result.statistics.at("bytesread").to_number<int>() == 1000);
  CHECK(result.statistics.at("byteshashed").to_number<int>() == 2000);
}

TEST_CASE("file: a line too long to be sure of is neither found nor not found", "[modules]") {
  SearchTree tree;
  tree.Write("long", "begin" + std::string((std::size_t{16} << 20) + 1000, 'x') + "end");
  tree.Write("short", "begin end");
  const auto run = [&](json::object fields, json::object options = {}) {
    return RunFileSearch(OneSearch(tree.at(""), std::move(fields), std::move(options)));
  };
  const auto unsure = run({{"contents", TextList({"begin.*end"})}});
  CHECK(NamesFound(unsure) == FoundNames{"short"});
  CHECK(Number(CoverageOf(unsure), "missed") == 1);
  CHECK_FALSE(unsure.statistics.at("complete").as_bool());
  CHECK(HasLine(unsure, "Skipped: 1 longline, for example " + tree.at("long")));
  // Inverted it is no yes either.
  const auto inverted = run({{"contents", TextList({"!begin.*end"})}});
  CHECK(NamesFound(inverted).empty());
  CHECK(Number(CoverageOf(inverted), "missed") == 1);
  // What another check rules out is sure.
  const auto ruled_out = run({{"contents", TextList({"begin.*end", "absent"})}});
  CHECK(ruled_out.statistics.at("complete").as_bool());
  // With matchany the checks that are sure are reported.
  const auto any = run({{"contents", TextList({"begin.*end", "^begin"})}}, {{"matchall", false}});
  CHECK(NamesFound(any) == FoundNames{"long", "short"});
  CHECK(Number(CoverageOf(any), "missed") == 1);
  CHECK(run({{"contents", TextList({"x{100}end"})}}).statistics.at("complete").as_bool());
  CHECK(run({{"contents", TextList({"absent"})}}).statistics.at("complete").as_bool());
}
