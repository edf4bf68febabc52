// Files that processes hold open without a name. This process holds some.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/files.h"
#include "test/modules/file/searching.h"

using namespace mig;

namespace {

namespace fs = std::filesystem;

os::FileDescriptor Unlinked(const SearchTree& tree, const std::string& name,
                            const std::string& content) {
  tree.Write(name, content);
  os::FileDescriptor fd(::open(tree.at(name).c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(fd.valid());
  fs::remove(tree.at(name));
  return fd;
}

ModuleResult Held(const std::string& path, json::object fields, json::object options = {}) {
  options["deleted"] = true;
  return RunFileSearch(OneSearch(path, std::move(fields), std::move(options)));
}

}  // namespace

TEST_CASE("file: an unlinked file is found by name, size, content and digest while it is held",
          "[modules]") {
  SearchTree tree;
  const std::string top = fs::canonical(tree.path()).string();
  const auto held = Unlinked(tree, "d/secret", "abc");
  tree.Write("d/there", "abc");
  const auto found = [&](json::object fields, json::object options = {}) {
    return NamesFound(Held(top, std::move(fields), std::move(options)));
  };
  CHECK(found({{"names", TextList({"^secret$"})}}) == FoundNames{"secret"});
  CHECK(found({{"names", TextList({"there"})}}).empty());  // it has its name
  CHECK(found({{"contents", TextList({"^abc$"})}}) == FoundNames{"secret"});
  CHECK(found({{"sizes", TextList({"3"})}, {"links", TextList({"<0"})}}) == FoundNames{"secret"});
  CHECK(found({{"sha1", TextList({"a9993e364706816aba3e25717850c26c9cd0d89d"})}}) ==
        FoundNames{"secret"});
  CHECK(found({{"names", TextList({"."})}}, {{"maxdepth", 1}}).empty());
  CHECK(found({{"names", TextList({"."})}}, {{"maxdepth", 2}}) == FoundNames{"secret"});
  CHECK(found({{"names", TextList({"."})}, {"excludes", json::array{top + "/d"}}}).empty());
  CHECK(NamesFound(Held(top + "/d2", {{"names", TextList({"."})}})).empty());

  const auto result = Held(top, {{"names", TextList({"secret"})}});
  const json::value& element = result.elements.at("s1").at(0);
  CHECK(element.at("file").as_string() == top + "/d/secret");
  CHECK(element.at("fileinfo").at("pid").to_number<int>() == ::getpid());
  CHECK(element.at("fileinfo").at("executable").as_string() ==
        fs::read_symlink("/proc/self/exe").string());
}

TEST_CASE("file: what never had a name is found too", "[modules]") {
  const os::FileDescriptor memory(::memfd_create("payload", MFD_CLOEXEC));
  REQUIRE(memory.valid());
  REQUIRE(::write(memory.get(), "needle\n", 7) == 7);
  const auto result =
      Held("/", {{"names", TextList({"^memfd:payload$"})}, {"contents", TextList({"needle"})}});
  REQUIRE(NamesFound(result) == FoundNames{"memfd:payload"});
}

TEST_CASE("file: searches for held files need more rights, and are refused without", "[modules]") {
  const Module& module = *FindModule("file");
  const json::object plain = OneSearch("/x", {{"names", TextList({"x"})}});
  const json::object deleted = OneSearch("/x", {{"names", TextList({"x"})}}, {{"deleted", true}});
  CHECK(RightsFor(module, plain) == os::Right::kReadFiles);
  CHECK(RightsFor(module, deleted) == (os::Right::kReadFiles | os::Right::kReadProcesses));
  CHECK_FALSE(NeedsMoreRights(module, json::object{{"searches", json::array()}}));
  CollectingSink sink;
  RunContext context{sink, Now()};
  context.more_rights = false;
  CHECK(RunModule(module, plain, context, false).success);
  CHECK_FALSE(RunModule(module, deleted, context, false).success);
  CHECK_FALSE(
      RefusalOf(OneSearch("/x", {{"names", TextList({"x"})}}, {{"deleted", true}, {"onefs", true}}))
          .empty());
}
