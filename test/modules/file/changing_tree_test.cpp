// The file module on a tree that somebody else changes while it is walked: files replaced, cut,
// removed, folders moved and exchanged for links that lead out of the tree.
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "modules/module.h"
#include "test/modules/file/random_source.h"
#include "test/sanitizers.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::file;

namespace {

constexpr int kRuns = kAddressSanitizer || kThreadSanitizer ? 10 : 40;
constexpr int kFolders = 12;
constexpr int kFiles = 20;

std::string Numbered(const char* name, int number) { return name + std::to_string(number); }

// Changes one thing. What fails, because another change came first, is no news.
void Change(RandomSource& random, const TempFolder& tree) {
  const auto folder = [&] {
    return tree / Numbered("moving/d", static_cast<int>(random.Below(kFolders)));
  };
  const auto file = [&] {
    return folder() / Numbered("f", static_cast<int>(random.Below(kFiles)));
  };
  std::error_code ignored;
  switch (random.Below(6)) {
    case 0:  // replaced in one step
      std::ofstream(tree / "spare", std::ios::binary) << std::string(random.Below(400'000), 'x');
      std::filesystem::rename(tree / "spare", file(), ignored);
      break;
    case 1:
      std::filesystem::resize_file(file(), random.Below(300'000), ignored);
      break;
    case 2:
      std::filesystem::remove(file(), ignored);
      break;
    case 3:
      std::ofstream(file(), std::ios::binary) << "needle\n";
      break;
    case 4:  // below another one
      std::filesystem::rename(folder(), folder() / "moved", ignored);
      break;
    default: {  // away, a link out of the tree in its place, and back
      const auto place = folder();
      std::filesystem::rename(place, tree / "away", ignored);
      std::filesystem::create_directory_symlink(tree / "outside", place, ignored);
      std::this_thread::yield();
      if (std::filesystem::is_symlink(place, ignored)) std::filesystem::remove(place, ignored);
      std::filesystem::rename(tree / "away", place, ignored);
    }
  }
}

}  // namespace

TEST_CASE("file: a tree that changes under the walk gives nothing from outside, and all that stays",
          "[modules]") {
  TempFolder tree;
  std::set<std::string> steady;
  for (int i = 0; i < kFolders; ++i) {
    for (int j = 0; j < kFiles; ++j) {
      const std::string name = Numbered("/f", j);
      steady.insert(tree.Write(Numbered("steady/d", i) + name, "needle\n").string());
      tree.Write(Numbered("moving/d", i) + name, std::string(200'000, 'x') + "\nneedle\n");
      tree.Write("outside/" + Numbered("secret", i * kFiles + j), "needle\n");
    }
  }
  const json::object options{{"matchall", true}, {"returnsha256", true}};
  const json::object parameters{
      {"searches",
       json::object{{"s", json::object{{"paths", json::array{(tree / "moving").string(),
                                                             (tree / "steady").string()}},
                                       {"contents", json::array{"needle"}},
                                       {"options", options}}}}}};
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    RandomSource random(1);
    while (!stop) Change(random, tree);
  });
  const std::set<std::string> known = {"changed",    "vanished",   "linktodirectory",
                                       "brokenlink", "unreadable", "special"};
  std::set<std::string> wrong;
  bool all_success = true;
  for (int run = 0; run < kRuns; ++run) {
    CollectingSink sink;
    RunContext context{sink, Now()};
    ModuleResult summary = RunModule(*FindModule("file"), parameters, context, false);
    auto result = std::move(sink).Take().Finish(std::move(summary));
    all_success = all_success && result && result->success;
    if (!all_success) break;
    std::set<std::string> found;
    for (const json::value& element : result->elements.at("s").as_array()) {
      found.insert(*json::ToName(element.at("file")));
    }
    for (const std::string& path : steady) {
      if (!found.contains(path)) wrong.insert("not found: " + path);
    }
    for (const std::string& path : found) {
      if (path.find("/secret") != std::string::npos) wrong.insert("from outside: " + path);
    }
    for (const auto& member : result->statistics.at("skipped").as_object()) {
      if (!known.contains(std::string(member.key()))) {
        wrong.insert("skipped: " + std::string(member.key()));
      }
    }
  }
  stop = true;
  changer.join();
  CHECK(all_success);
  for (const std::string& what : wrong) FAIL_CHECK(what);
}
