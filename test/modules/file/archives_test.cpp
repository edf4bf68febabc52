// Searches that look into archives, among them such as other people's programs made.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "test/modules/file/archive_maker.h"
#include "test/modules/file/searching.h"
#include "test/skip.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::file;

namespace {

json::object InArchives(const std::string& path, json::object fields, json::object options = {}) {
  options["archives"] = true;
  return OneSearch(path, std::move(fields), std::move(options));
}

// "archive!member" of what was found inside, the archive without its folder.
FoundNames MembersFound(const ModuleResult& result) {
  REQUIRE(result.success);
  FoundNames names;
  for (const json::value& element : result.elements.at("s1").as_array()) {
    const json::object& info = element.at("fileinfo").as_object();
    if (!info.contains("member")) continue;
    const std::string file = json::ToName(element.at("file")).value();
    names.insert(file.substr(file.rfind('/') + 1) + "!" + json::ToName(info.at("member")).value());
  }
  return names;
}

std::uint64_t SkippedFor(const ModuleResult& result, const char* reason) {
  const json::object& skipped = result.statistics.at("skipped").as_object();
  return skipped.contains(reason) ? skipped.at(reason).at("count").to_number<std::uint64_t>() : 0;
}

std::uint64_t Missed(const ModuleResult& result) {
  return result.statistics.at("coverage").at("s1").at("missed").to_number<std::uint64_t>();
}

bool HasProgram(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null").c_str()) == 0;
}

void Run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0);
}

// A tree with something of everything that searches ask for.
void MakeTree(const SearchTree& tree) {
  tree.Write("t/plain.txt", "hello needle\n");
  tree.Write("t/empty", "");
  tree.Write("t/sub/.hidden", "no such thing\r\nneedle");
  tree.Write("t/sub/deep/binary", std::string("\x7f"
                                              "ELF\x02\x01\0\0\0needle",
                                              15));
  tree.Write("t/sub/deep/" + std::string(180, 'n'), "needle in a long name\n");
  tree.Write("t/sub/large", std::string(700'000, 'x') + "\nneedle\n");
  tree.Write("t/name with \n in it", "x\n");
  ::chmod(tree.at("t/plain.txt").c_str(), 04755);
  ::chmod(tree.at("t/sub/large").c_str(), 0600);
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, tree.at("t/sub/large").c_str(), old, 0) == 0);
}

const std::vector<json::object>& Questions() {
  static const std::vector<json::object> questions = {
      {{"names", TextList({"n"})}},
      {{"names", TextList({"!^[a-z.]+$"})}},
      {{"sizes", TextList({">700000"})}},
      {{"sizes", TextList({"0"})}},
      {{"modes", TextList({"^u"})}},
      {{"modes", TextList({"0600"})}},
      {{"mtimes", TextList({">3000d"})}},
      {{"owners", TextList({"0"})}},
      {{"groups", TextList({"!0"})}},
      {{"types", TextList({"f"})}},
      {{"contents", TextList({"needle"})}},
      {{"contents", TextList({"!needle"})}},
      {{"contents", TextList({"needle"})}, {"names", TextList({"^\\."})}},
      {{"bytes", TextList({"7f454c46 02 01 [3] 6e"})}},
      {{"sha1", TextList({"da39a3ee5e6b4b0d3255bfef95601890afd80709"})}},
  };
  return questions;
}

// What each question finds in the tree itself, and whether the archives say the same of theirs.
void CheckSameAsTree(const SearchTree& tree, const std::vector<std::string>& archives) {
  for (const json::object& question : Questions()) {
    INFO(json::Write(question));
    const ModuleResult plain = RunFileSearch(OneSearch(tree.at("t"), question));
    FoundNames expected;
    for (const json::value& element : plain.elements.at("s1").as_array()) {
      const std::string file = json::ToName(element.at("file")).value();
      if (!file.empty()) expected.insert(file.substr(tree.at("").size()));
    }
    for (const std::string& archive : archives) {
      INFO(archive);
      const ModuleResult result = RunFileSearch(InArchives(tree.at(archive), question));
      CHECK(result.errors.empty());
      FoundNames found;
      for (const std::string& name : MembersFound(result)) {
        found.insert(name.substr(archive.size() + 1));
      }
      CHECK(found == expected);
      CHECK(Missed(result) == 0);
    }
  }
}

}  // namespace

TEST_CASE("file archives: a tar of a tree answers as the tree does", "[modules]") {
  if (!HasProgram("tar")) MIG_SKIP("this machine has no tar");
  SearchTree tree;
  MakeTree(tree);
  std::vector<std::string> archives;
  for (const std::string format : {"gnu", "oldgnu", "pax"}) {
    archives.push_back(format + ".tar");
    Run("cd " + tree.at("") + " && tar --format=" + format + " -cf " + archives.back() + " t");
  }
  for (const std::string packer : {"gzip", "bzip2", "xz", "zstd", "lzma"}) {
    if (!HasProgram(packer)) continue;
    archives.push_back(packer + ".packed");
    Run("cd " + tree.at("") + " && tar -cf - t | " + packer + " -c > " + archives.back());
  }
  CheckSameAsTree(tree, archives);
}

TEST_CASE("file archives: a zip of a tree answers as the tree does", "[modules]") {
  if (!HasProgram("zip")) MIG_SKIP("this machine has no zip");
  SearchTree tree;
  MakeTree(tree);
  Run("cd " + tree.at("") +
      " && zip -qr deflated.zip t && zip -qr0 stored.zip t && "
      "zip -qr -Z bzip2 bzip2.zip t && zip -qr -fz zip64.zip t");
  CheckSameAsTree(tree, {"deflated.zip", "stored.zip", "bzip2.zip", "zip64.zip"});
}

TEST_CASE("file archives: without the option nobody looks inside", "[modules]") {
  SearchTree tree;
  tree.Write("a.tar", TarFile("inner", "x") + EndMark());
  CHECK(
      NamesFound(RunFileSearch(OneSearch(tree.at(""), {{"names", TextList({"inner"})}}))).empty());
  const auto result = RunFileSearch(InArchives(tree.at(""), {{"names", TextList({"inner"})}}));
  CHECK(MembersFound(result) == FoundNames{"a.tar!inner"});
  CHECK(result.statistics.at("members").to_number<int>() == 1);
  // One search's looking is no other's.
  json::object both = InArchives(tree.at(""), {{"names", TextList({"inner"})}});
  both["searches"].as_object()["s2"] =
      OneSearch(tree.at(""), {{"names", TextList({"inner"})}})["searches"].as_object()["s1"];
  const auto of_both = RunFileSearch(both);
  CHECK(MembersFound(of_both).size() == 1);
  CHECK(of_both.elements.at("s2").as_array().front().at("file").as_string().empty());
}

TEST_CASE("file archives: a find says archive, member and what was asked", "[modules]") {
  SearchTree tree;
  tree.Write("a.tar", TarFile("/etc/evil\x1b[2J", "x") + EndMark());
  const auto result = RunFileSearch(
      InArchives(tree.at("a.tar"), {{"names", TextList({"evil"})}, {"owners", TextList({"1000"})}},
                 {{"returnsha256", true}}));
  const json::object& element = result.elements.at("s1").as_array().front().as_object();
  CHECK(element.at("file").as_string() == tree.at("a.tar"));
  const json::object& info = element.at("fileinfo").as_object();
  CHECK(info.at("member").as_string() == "/etc/evil\x1b[2J");
  CHECK(info.at("mode").as_string() == "-rw-r--r--");
  CHECK(info.at("lastmodified").as_string() == "2023-11-14 22:13:20 +0000 UTC");
  CHECK(info.at("owner").as_string() == "alice");
  CHECK(info.at("uid").to_number<int>() == 1000);
  CHECK(info.at("sha256").as_string().starts_with("2D711642B726B044"));
  const Module& module = *FindModule("file");
  CHECK(PrintResult(module, result, true).front().starts_with(tree.at("a.tar") + "!/etc/evil"));
}

TEST_CASE("file archives: where members lie is masked under privacy", "[modules]") {
  SearchTree tree;
  tree.Write("a.tar", TarFile("home/alice/secret", "x") +
                          TarFile("b.tar", TarFile("c", "") + EndMark()) + EndMark());
  CollectingSink sink;
  RunContext context{sink, Now()};
  const json::object asked = InArchives(tree.at(""), {{"names", TextList({"secret"})}});
  ModuleResult summary = RunModule(*FindModule("file"), asked, context, true);
  auto joined = std::move(sink).Take().Finish(std::move(summary));
  REQUIRE(joined);
  const std::string all = json::Write(joined->elements) + json::Write(joined->statistics);
  CHECK(all.find("alice") == std::string::npos);
  CHECK(all.find("a.tar") == std::string::npos);
}

TEST_CASE("file archives: what cannot be seen makes a search incomplete", "[modules]") {
  SearchTree tree;
  const std::string tar = TarFile("a", "needle") + TarFile("b", "needle") + EndMark();
  const auto ask = [&](const std::string& content, json::object fields, json::object options = {}) {
    tree.Write("archive", content);
    return RunFileSearch(InArchives(tree.at("archive"), std::move(fields), std::move(options)));
  };
  const json::object content{{"contents", TextList({"needle"})}};
  const json::object name{{"names", TextList({"^a$"})}};
  {
    const auto cut = ask(tar.substr(0, 1026), content);
    CHECK(MembersFound(cut) == FoundNames{"archive!a"});
    CHECK(Missed(cut) == 1);
    CHECK(SkippedFor(cut, "unreadable") == 1);
  }
  {
    const auto cut = ask(tar.substr(0, 1538), content);  // within the second member
    CHECK(MembersFound(cut) == FoundNames{"archive!a"});
    CHECK(Missed(cut) == 2);  // that member, and whatever would have followed
  }
  {
    const auto nested = ask(TarFile("inner.tar", tar) + EndMark(), name);
    CHECK(MembersFound(nested).empty());
    CHECK(SkippedFor(nested, "nestedarchive") == 1);
    CHECK(Missed(nested) == 1);
  }
  {
    const auto nested = ask(TarFile("inner.zip", ZipOf({{.name = "a"}})) + EndMark(), name);
    CHECK(SkippedFor(nested, "nestedarchive") == 1);
  }
  {
    const std::string hard = TarBlock({.name = "a", .type = '1', .target = "x"}) + EndMark();
    CHECK(MembersFound(ask(hard, name)) == FoundNames{"archive!a"});
    const auto unread = ask(hard, content);
    CHECK(Missed(unread) == 1);
    CHECK(SkippedFor(unread, "linkinarchive") == 1);
    const auto unsized = ask(hard, {{"sizes", TextList({"0"})}});
    CHECK(MembersFound(unsized).empty());
    CHECK(SkippedFor(unsized, "notinarchive") == 1);
  }
  {
    const auto symbolic =
        ask(TarBlock({.name = "a", .type = '2', .target = "x"}) + EndMark(), name);
    CHECK(MembersFound(symbolic).empty());
    CHECK(SkippedFor(symbolic, "linkinarchive") == 1);
    CHECK(Missed(symbolic) == 0);
    CHECK(MembersFound(ask(TarBlock({.name = "a", .type = '2', .target = "x"}) + EndMark(),
                           {{"linktargets", TextList({"^x$"})}})) == FoundNames{"archive!a"});
  }
  {
    const std::string zip = ZipOf({{.name = "a", .content = "needle", .flags = 1}});
    const auto encrypted = ask(zip, content);
    CHECK(SkippedFor(encrypted, "encryptedmember") == 1);
    CHECK(Missed(encrypted) == 1);
    CHECK(Missed(ask(zip, name)) == 0);
  }
  {
    const auto unknown = ask(tar, {{"inodes", TextList({"1"})}});
    CHECK(SkippedFor(unknown, "notinarchive") == 2);
    CHECK(Missed(unknown) == 2);
  }
  {
    const auto broken = ask(ZipOf({{.name = "a", .content = "needle", .crc_change = 1},
                                   {.name = "b", .content = "needle"}}),
                            content);
    CHECK(MembersFound(broken) == FoundNames{"archive!b"});
    CHECK(Missed(broken) == 1);
  }
  {
    const auto zip = ask("PK\3\4 and nothing more", name);
    CHECK(Missed(zip) == 1);
    CHECK(zip.errors.front().ends_with("broken zip: it has no directory"));
  }
}

TEST_CASE("file archives: members are unpacked with -decompress, and not without", "[modules]") {
  SearchTree tree;
  // printf 'needle in a haystack\\n' | gzip -n
  const std::string packed =
      DecodeBase64("H4sIAAAAAAAAA8tLTU3JSVXIzFNIVMhIrCwuSUzO5gIAq3643RUAAAA=").value();
  tree.Write("a.tar",
             TarFile("log.gz", packed) + TarFile("cut.gz", packed.substr(0, 20)) + EndMark());
  const json::object content{{"contents", TextList({"haystack"})}};
  CHECK(MembersFound(RunFileSearch(InArchives(tree.at(""), content))).empty());
  const auto inside = RunFileSearch(InArchives(tree.at(""), content, {{"decompress", true}}));
  CHECK(MembersFound(inside) == FoundNames{"a.tar!log.gz"});
  CHECK(Missed(inside) == 1);
}

TEST_CASE("file archives: a limit ends the search within an archive", "[modules]") {
  SearchTree tree;
  std::string tar;
  for (int i = 0; i < 50; ++i) tar += TarFile("m" + std::to_string(i), "x");
  tree.Write("a.tar", tar + EndMark());
  const auto result =
      RunFileSearch(InArchives(tree.at(""), {{"names", TextList({"^m"})}}, {{"matchlimit", 3}}));
  CHECK(MembersFound(result).size() == 3);
  CHECK(result.statistics.at("members").to_number<int>() <= 4);
}
