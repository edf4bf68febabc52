// One walk shared by several threads.
#include "test/modules/file/archive_maker.h"
#include "test/modules/file/searching.h"

using namespace mig;

namespace {

json::object SearchFor(const std::string& path, json::object fields, json::object options = {}) {
  return OneSearch(path, std::move(fields), std::move(options))["searches"]
      .as_object()["s1"]
      .as_object();
}

// Base names of what a search has found.
FoundNames Found(const ModuleResult& result, const char* label) {
  FoundNames names;
  for (const json::value& element : result.elements.at(label).as_array()) {
    const auto file = json::ToName(element.at("file"));
    REQUIRE(file);
    if (!file->empty()) names.insert(std::filesystem::path(*file).filename().string());
  }
  return names;
}

}  // namespace

TEST_CASE("file: any number of threads finds the same, and never more than the limit",
          "[modules]") {
  SearchTree tree;
  for (int i = 0; i < 600; ++i) {
    tree.Write(std::to_string(i % 13) + "/" + std::to_string(i % 5) + "/f" + std::to_string(i),
               "line " + std::to_string(i % 10) + "\n");
  }
  const auto run = [&](std::size_t threads, std::int64_t limit) {
    CollectingSink sink;
    RunContext context{sink, Now(), threads};
    const json::object parameters{
        {"searches",
         json::object{{"by_name", SearchFor(tree.at(""), {{"names", TextList({"^f[0-9]*7$"})}})},
                      {"by_content", SearchFor(tree.at(""), {{"contents", TextList({"line [37]"})}},
                                               {{"matchlimit", limit}})}}}};
    ModuleResult summary = RunModule(*FindModule("file"), parameters, context, false);
    auto result = std::move(sink).Take().Finish(std::move(summary));
    REQUIRE(result);
    return std::move(*result);
  };
  const ModuleResult alone = run(1, 0);
  REQUIRE(Found(alone, "by_content").size() == 120);
  for (const std::size_t threads : {2, 5, 64, 1000}) {
    const ModuleResult together = run(threads, 0);
    for (const char* label : {"by_name", "by_content"}) {
      CHECK(Found(together, label) == Found(alone, label));
    }
    for (const char* count : {"filescount", "directories", "bytesread", "totalhits"}) {
      CHECK(together.statistics.at(count) == alone.statistics.at(count));
    }
    const ModuleResult limited = run(threads, 7);
    CHECK(limited.elements.at("by_content").as_array().size() == 7);
    CHECK(Found(limited, "by_name") == Found(alone, "by_name"));
  }
}

TEST_CASE("file: threads share archives, digests and a hundred contents without a difference",
          "[modules]") {
  SearchTree tree;
  json::array words;
  for (int i = 0; i < 100; ++i) words.emplace_back("word" + std::to_string(i) + "$");
  for (int i = 0; i < 60; ++i) {
    const std::string text = "some word" + std::to_string(i * 7 % 200) + "\nmore\r\n";
    const std::string name = std::to_string(i % 7) + "/f" + std::to_string(i);
    tree.Write(name, text);
    tree.Write(name + ".tar", file::TarFile("m" + std::to_string(i), text) + file::EndMark());
    tree.Write(name + ".zip", file::ZipOf({{.name = "z", .content = text, .method = 8}}));
  }
  const auto run = [&](std::size_t threads) {
    CollectingSink sink;
    RunContext context{sink, Now(), threads};
    const json::object parameters{
        {"searches",
         json::object{
             {"words", SearchFor(tree.at(""), {{"contents", words}}, {{"matchall", false}})},
             {"inside", SearchFor(tree.at(""), {{"contents", TextList({"word1"})}},
                                  {{"archives", true}, {"returnsha256", true}})}}}};
    ModuleResult summary = RunModule(*FindModule("file"), parameters, context, false);
    auto result = std::move(sink).Take().Finish(std::move(summary));
    REQUIRE(result);
    return std::move(*result);
  };
  const ModuleResult alone = run(1);
  CHECK(Found(alone, "words").size() > 20);
  for (const std::size_t threads : {2, 8}) {
    const ModuleResult together = run(threads);
    for (const char* label : {"words", "inside"})
      CHECK(Found(together, label) == Found(alone, label));
    for (const char* count : {"members", "bytesread", "byteshashed", "totalhits"}) {
      CHECK(together.statistics.at(count) == alone.statistics.at(count));
    }
  }
}
