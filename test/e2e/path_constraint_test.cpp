// `paths` of a policy, against everything by which a path can lead elsewhere: what the check does
// not see, the kernel holds. With the real agent and the real module `file`.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "os/sandbox.h"
#include "test/e2e/lab.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::e2e;

namespace {

namespace fs = std::filesystem;

std::string Text(const Outcome& outcome) { return outcome.out + outcome.err; }

void MustDo(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(), "policy");
  words.insert(words.end(), {"--dir", (lab.folder().parent_path() / "policy").string()});
  const Outcome outcome = lab.Mig(std::move(words));
  INFO(Text(outcome));
  REQUIRE(outcome.status == 0);
}

Outcome Search(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(), {"query", "file", "-t", "all", "--show", "all"});
  return lab.Mig(std::move(words));
}

}  // namespace

TEST_CASE("constraints: `file` sees nothing outside the policy's paths, whichever way it is led",
          "[e2e][sandbox][policy]") {
  if (!os::ProbeSandbox().can_limit_folders) MIG_SKIP("this kernel has no Landlock");
  const Lab lab;
  const fs::path inside = lab.scratch() / "inside", outside = lab.scratch() / "outside";
  fs::create_directories(inside);
  fs::create_directories(outside);
  std::ofstream(inside / "allowed") << "inside\n";
  std::ofstream(outside / "secret") << "found outside\n";
  fs::create_directory_symlink(outside, inside / "folder-link");
  fs::create_symlink(outside / "secret", inside / "file-link");
  fs::create_hard_link(outside / "secret", inside / "hard-link");
  fs::permissions(lab.scratch(), fs::perms::all);

  MustDo(lab, {"pull"});
  MustDo(lab, {"set", "modules.file",
               "{minimumweight: 1, weights: {lab: 1}, constraints: {paths: [\"" + inside.string() +
                   "\"]}}"});
  MustDo(lab, {"sign", "--yes", "--key", (lab.folder() / "keys" / "root.key").string()});
  MustDo(lab, {"publish"});
  REQUIRE(lab.LogSays("agent-1", "version=2"));

  // What is allowed is found: else the rest would show nothing.
  const Outcome good = Search(lab, {"-path", inside.string(), "-name", "allowed"});
  INFO(Text(good));
  CHECK(good.status == 0);

  const auto refused = [&](std::vector<std::string> words) {
    const Outcome outcome = Search(lab, std::move(words));
    INFO(Text(outcome));
    CHECK(outcome.status != 0);
    // No element: nothing was matched. The text of a link lies inside, so where it points to may be
    // said; what is there is not looked at.
    CHECK(outcome.out.find("[lastmodified") == std::string::npos);
  };
  SECTION("named outright") { refused({"-path", outside.string(), "-name", "secret"}); }
  SECTION("by ..") { refused({"-path", inside.string() + "/../outside", "-name", "secret"}); }
  SECTION("by a folder of the same beginning") {
    refused({"-path", inside.string() + "-and-more", "-name", "secret"});
  }
  SECTION("in another case") {
    refused({"-path", (lab.scratch() / "INSIDE").string(), "-name", "secret"});
  }
  SECTION("through a link to a folder") {
    refused({"-path", (inside / "folder-link").string(), "-name", "secret"});
  }
  SECTION("by the contents of a linked file") {
    refused({"-path", (inside / "file-link").string(), "-content", "found outside"});
  }
  SECTION("in a second path of the same search") {
    refused({"-path", inside.string(), "-path", outside.string(), "-name", "secret"});
  }
  // Not stopped, and cannot be: a hard link inside is a file inside. Who may make one there could
  // copy the contents as well.
  SECTION("a hard link inside is a file inside") {
    const Outcome hard =
        Search(lab, {"-path", inside.string(), "-name", "hard-link", "-content", "found outside"});
    INFO(Text(hard));
    CHECK(hard.status == 0);
  }
}
