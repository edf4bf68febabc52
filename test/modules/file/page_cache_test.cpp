// What a search through files leaves of the machine's page cache.
#include "test/page_cache.h"
#include <map>

#include "test/modules/file/archive_maker.h"
#include "test/modules/file/searching.h"
#include "test/skip.h"

using namespace mig;

namespace {

std::string Noise(std::size_t size) {
  std::string text(size, ' ');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  return text;
}

}  // namespace

TEST_CASE("file: a search through all files leaves in memory what was there, and nothing else",
          "[modules]") {
  SearchTree tree;
  std::map<std::string, std::size_t> sizes;
  const auto write = [&](const std::string& name, const std::string& content) {
    tree.Write(name, content);
    sizes[name] = content.size();
  };
  for (const char* state : {"kept", "cold"}) {
    write(std::string(state) + "/small", Noise(60'000));
    write(std::string(state) + "/large", Noise(std::size_t{12} << 20));
    write(std::string(state) + "/a.tar",
          file::TarFile("m", Noise(std::size_t{3} << 20)) + file::EndMark());
    write(std::string(state) + "/a.zip",
          file::ZipOf({{.name = "m", .content = Noise(std::size_t{3} << 20)},
                       {.name = "n", .content = Noise(std::size_t{2} << 20), .method = 8}}));
  }
  for (const auto& [name, size] : sizes) {
    if (name.starts_with("cold")) DropFromMemory(tree.at(name));
  }
  if (InMemory(tree.at("cold/large"), sizes["cold/large"]) > 0) {
    MIG_SKIP("this file system keeps files in memory");
  }
  const auto result =
      RunFileSearch(OneSearch(tree.at(""), {{"contents", TextList({"is nowhere here"})}},
                              {{"archives", true}, {"returnsha256", true}}));
  CHECK(result.statistics.at("complete").as_bool());
  CHECK(result.statistics.at("members").to_number<int>() == 6);
  for (const auto& [name, size] : sizes) {
    INFO(name);
    const int in_memory = InMemory(tree.at(name), size);
    if (name.starts_with("kept")) {
      CHECK(in_memory == 100);
    } else {
      CHECK(in_memory <= 10);
    }
  }
}
