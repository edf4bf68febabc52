// Where a search looks, and what it looks at: types, links as themselves, exclusions, mounts.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/files.h"
#include "test/modules/file/searching.h"

using namespace mig;

namespace {

namespace fs = std::filesystem;

ModuleResult Run(const SearchTree& tree, json::object fields, json::object options = {}) {
  return RunFileSearch(OneSearch(tree.at(""), std::move(fields), std::move(options)));
}

FoundNames Find(const SearchTree& tree, json::object fields, json::object options = {}) {
  return NamesFound(Run(tree, std::move(fields), std::move(options)));
}

std::string Refused(json::object fields, json::object options = {}) {
  return RefusalOf(OneSearch("/x/y", std::move(fields), std::move(options)));
}

std::uint64_t Skipped(const ModuleResult& result, const char* reason) {
  const auto& skipped = result.statistics.at("skipped").as_object();
  return skipped.contains(reason) ? skipped.at(reason).at("count").to_number<std::uint64_t>() : 0;
}

// One of each kind that needs no root.
struct Zoo : SearchTree {
  Zoo() {
    Write("folder/file", "needle\n");
    fs::create_symlink("file", path() / "folder/link");
    fs::create_symlink("nowhere", path() / "broken");
    fs::create_directory_symlink("folder", path() / "to_folder");
    REQUIRE(::mkfifo(at("fifo").c_str(), 0600) == 0);
    const os::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = at("socket");
    REQUIRE(name.size() < sizeof address.sun_path);
    name.copy(address.sun_path, name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
};

}  // namespace

TEST_CASE("file: with types every entry is looked at as itself", "[modules]") {
  const Zoo zoo;
  const auto types = [&](const char* letters, json::object options = {}) {
    return Find(zoo, {{"types", TextList({letters})}}, std::move(options));
  };
  const std::string top = zoo.path().filename().string();
  CHECK(types("f") == FoundNames{"file"});
  CHECK(types("l") == FoundNames{"link", "broken", "to_folder"});
  CHECK(types("p") == FoundNames{"fifo"});
  CHECK(types("s") == FoundNames{"socket"});
  CHECK(types("b,c").empty());
  CHECK(types("p,s") == FoundNames{"fifo", "socket"});
  CHECK(types("!d,l") == FoundNames{"file", "fifo", "socket"});
  // As find(1): the path itself is an entry too.
  CHECK(types("d").size() == 2);
  CHECK(types("d").contains("folder"));
  CHECK(types("d", {{"mismatch", TextList({"type"})}}) == types("!d"));
  CHECK(types("d", {{"maxdepth", 1}}).size() == 2);
  CHECK(types("f", {{"maxdepth", 1}}).empty());
  CHECK(Find(zoo, {{"types", TextList({"d"})}, {"names", TextList({"^fold"})}}) ==
        FoundNames{"folder"});
  // Without, as MIG: files, and links to such.
  CHECK(Find(zoo, {{"names", TextList({"."})}}) == FoundNames{"file", "link"});
}

TEST_CASE("file: what is not a file has no content, and satisfies no check of it", "[modules]") {
  const Zoo zoo;
  for (const char* content : {"needle", "!absent"}) {
    INFO(content);
    const auto result =
        Run(zoo, {{"types", TextList({"f,l,p,s,d"})}, {"contents", TextList({content})}});
    CHECK(NamesFound(result) == FoundNames{"file"});
    CHECK(result.errors.empty());
  }
  const auto any = Run(zoo, {{"types", TextList({"p"})}, {"contents", TextList({"needle"})}},
                       {{"matchall", false}});
  CHECK(NamesFound(any) == FoundNames{"file", "fifo"});
}

TEST_CASE("file: the target of a link is searched as it is written", "[modules]") {
  const Zoo zoo;
  CHECK(Find(zoo, {{"linktargets", TextList({"^f"})}}) == FoundNames{"link", "to_folder"});
  CHECK(Find(zoo, {{"linktargets", TextList({"!^f"})}}) == FoundNames{"broken"});  // links only
  const auto result = Run(zoo, {{"linktargets", TextList({"nowhere"})}});
  const auto& info = result.elements.at("s1").at(0).at("fileinfo");
  CHECK(info.at("linktarget").as_string() == "nowhere");
  CHECK(info.at("mode").as_string().starts_with("L"));
  CHECK(result.statistics.at("openfailed").to_number<int>() == 0);  // broken or not, it was seen
}

TEST_CASE("file: searches with and without types share a walk and do not disturb each other",
          "[modules]") {
  const Zoo zoo;
  json::object parameters = OneSearch(zoo.at(""), {{"types", TextList({"l"})}});
  parameters["searches"].as_object()["s2"] =
      OneSearch(zoo.at(""), {{"names", TextList({"."})}}).at("searches").at("s1");
  const auto result = RunFileSearch(parameters);
  CHECK(NamesFound(result) == FoundNames{"link", "broken", "to_folder"});
  CHECK(result.elements.at("s2").as_array().size() == 2);
  CHECK(Skipped(result, "special") == 2);
  CHECK(Skipped(result, "brokenlink") == 1);
  CHECK(Skipped(result, "linktodirectory") == 1);
}

TEST_CASE("file: a folder that is two paths of one search is found once", "[modules]") {
  SearchTree tree;
  tree.Write("a/b/f", "x");
  json::object search = OneSearch(tree.at("a"), {{"types", TextList({"d"})}});
  json::object& fields = search["searches"].as_object()["s1"].as_object();
  fields["paths"] = json::array{tree.at("a"), tree.at("a/b")};
  const auto result = RunFileSearch(search);
  CHECK(result.elements.at("s1").as_array().size() == 2);
  CHECK(NamesFound(result) == FoundNames{"a", "b"});
  fields["options"].as_object()["maxdepth"] = 1;
  CHECK(RunFileSearch(search).elements.at("s1").as_array().size() == 2);
}

TEST_CASE("file: contradictory types are refused by name", "[modules]") {
  CHECK(Refused({{"types", TextList({"f", "d"})}}).find("types: no file is both `f` and `d`") !=
        std::string::npos);
  CHECK_FALSE(Refused({{"types", TextList({"d"})}, {"contents", TextList({"x"})}}).empty());
  CHECK_FALSE(Refused({{"types", TextList({"f"})}, {"linktargets", TextList({"x"})}}).empty());
  CHECK_FALSE(Refused({{"contents", TextList({"x"})}, {"linktargets", TextList({"x"})}}).empty());
  CHECK_FALSE(Refused({{"types", TextList({"!f,d,l,p,s,b,c"})}}).empty());
  CHECK_FALSE(Refused({{"types", TextList({"x"})}}).empty());
  CHECK_FALSE(Refused({{"types", TextList({"f,"})}}).empty());
  CHECK(Refused({{"types", TextList({"f,l", "l,d"})}}).empty());
  CHECK(Refused({{"types", TextList({"d"})}, {"contents", TextList({"x"})}}, {{"matchall", false}})
            .empty());
}

TEST_CASE("file: what is excluded is left out with all below it, and counted", "[modules]") {
  SearchTree tree;
  for (const char* name : {"d/out/1", "d/out/sub/2", "d/outside/3", "d/in/4", "d/file"}) {
    tree.Write(name, "x");
  }
  const auto without = [&](const json::array& excludes) {
    return Run(tree, {{"names", TextList({"."})}, {"excludes", excludes}});
  };
  const auto folder = without({tree.at("d/out")});
  CHECK(NamesFound(folder) == FoundNames{"3", "4", "file"});  // by component, not by letters
  CHECK(Skipped(folder, "excluded") == 1);
  CHECK(NamesFound(without({tree.at("d/out/../out/"), tree.at("d/file")})) == FoundNames{"3", "4"});
  CHECK(Skipped(without({tree.at("d/out"), tree.at("d/file")}), "excluded") == 2);
  CHECK(NamesFound(without({tree.at("d/absent")})).size() == 5);
  // Folders as entries too.
  CHECK(Find(tree, {{"types", TextList({"d"})}, {"excludes", json::array{tree.at("d/out")}}})
            .contains("out") == false);
}

TEST_CASE("file: an exclusion holds by whatever name it is reached, each search has its own",
          "[modules]") {
  SearchTree tree;
  tree.Write("real/secret", "x");
  tree.Write("real/open", "x");
  fs::create_directory_symlink("real", tree.at("link"));
  json::object parameters =
      OneSearch(tree.at("link"),
                {{"names", TextList({"."})}, {"excludes", json::array{tree.at("real/secret")}}});
  CHECK(NamesFound(RunFileSearch(parameters)) == FoundNames{"open"});
  parameters = OneSearch(tree.at("real"), {{"names", TextList({"."})},
                                           {"excludes", json::array{tree.at("link/secret")}}});
  CHECK(NamesFound(RunFileSearch(parameters)) == FoundNames{"open"});
  parameters["searches"].as_object()["s2"] =
      OneSearch(tree.at("real"), {{"names", TextList({"."})}}).at("searches").at("s1");
  const auto result = RunFileSearch(parameters);
  CHECK(NamesFound(result) == FoundNames{"open"});
  CHECK(result.elements.at("s2").as_array().size() == 2);
  // A path beneath an exclusion by another name.
  const auto none = RunFileSearch(OneSearch(
      tree.at("link"), {{"names", TextList({"."})}, {"excludes", json::array{tree.at("real")}}}));
  CHECK(NamesFound(none).empty());
  CHECK(Skipped(none, "excluded") == 1);
}

TEST_CASE("file: a scope that leaves nothing, or says what has no effect, is refused",
          "[modules]") {
  const json::object name{{"names", TextList({"a"})}};
  const auto with = [&](const char* field, json::value value) {
    json::object fields = name;
    fields[field] = std::move(value);
    return fields;
  };
  CHECK(Refused(with("excludes", TextList({"/x"}))) ==
        "searches.s1: excludes: `/x` leaves nothing of the path `/x/y`");
  CHECK_FALSE(Refused(with("excludes", TextList({"/x/y"}))).empty());
  CHECK_FALSE(Refused(with("excludes", TextList({"relative"}))).empty());
  CHECK(Refused(with("excludes", TextList({"/x/y/z", "/x/ye"}))).empty());
  CHECK_FALSE(Refused(with("excludefs", TextList({"no such"}))).empty());
  CHECK(Refused(with("excludefs", TextList({"nfs4"}))).empty());
  CHECK(Refused(name, {{"onefs", true}, {"remotefs", true}}).find("remotefs has no effect") !=
        std::string::npos);
  CHECK_FALSE(Refused(with("excludefs", TextList({"nfs4"})), {{"onefs", true}}).empty());
}

TEST_CASE("file: proc is left out below a path unless asked for, by name or by option",
          "[modules]") {
  const auto run = [&](const char* path, json::object options, json::object more = {}) {
    more["names"] = TextList({"^status$"});
    // Not all processes: only what lies two folders down.
    options["maxdepth"] = 2;
    return RunFileSearch(OneSearch(path, std::move(more), std::move(options)));
  };
  const auto left_out = run("/", {});
  CHECK(Skipped(left_out, "pseudofs") >= 1);
  const auto asked = run("/", {{"pseudofs", true}});
  const auto& skipped = asked.statistics.at("skipped").as_object();
  CHECK_FALSE(skipped.contains("pseudofs"));
  CHECK(Skipped(run("/", {{"onefs", true}}), "otherfs") >= 1);
  CHECK(Skipped(run("/", {{"pseudofs", true}}, {{"excludefs", TextList({"proc"})}}), "excludefs") >=
        1);
  // The path itself is wanted, also where another path lies above it.
  json::object both = OneSearch("/", {{"names", TextList({"^version$"})}}, {{"maxdepth", 1}});
  both["searches"].as_object()["s2"] =
      OneSearch("/proc", {{"names", TextList({"^version$"})}}, {{"maxdepth", 1}})
          .at("searches")
          .at("s1");
  CHECK(RunFileSearch(both).elements.at("s2").at(0).at("file").as_string() == "/proc/version");
  both["searches"].as_object()["s1"].as_object()["options"].as_object()["maxdepth"] = 2;
  CHECK(RunFileSearch(both).elements.at("s2").at(0).at("file").as_string() == "/proc/version");
}
