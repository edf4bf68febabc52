// The checks that need no content, on real files.
#include "modules/file/metadata.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/files.h"
#include "test/modules/file/searching.h"
#include "test/skip.h"

using namespace mig;

namespace {

namespace fs = std::filesystem;

FoundNames Find(const SearchTree& tree, json::object fields, json::object options = {},
                UtcTime now = Now()) {
  return NamesFound(RunFileSearch(OneSearch(tree.at(""), std::move(fields), options), now));
}

json::object Fileinfo(const SearchTree& tree, json::object fields) {
  const auto result = RunFileSearch(OneSearch(tree.at(""), std::move(fields)));
  REQUIRE(result.foundanything);
  return result.elements.at("s1").at(0).at("fileinfo").as_object();
}

std::string Refused(const char* field, json::array values, json::object options = {}) {
  return RefusalOf(OneSearch("/x", {{field, std::move(values)}}, std::move(options)));
}

json::object Mismatch(const char* word) { return {{"mismatch", TextList({word})}}; }

std::uint64_t Skipped(const ModuleResult& result, const char* reason) {
  const auto& skipped = result.statistics.at("skipped").as_object();
  return skipped.contains(reason) ? skipped.at(reason).at("count").to_number<std::uint64_t>() : 0;
}

}  // namespace

TEST_CASE("file: octal modes are exact, all of the bits, or any of them", "[modules]") {
  SearchTree tree;
  fs::permissions(tree.Write("plain", "x"), fs::perms(0644));
  fs::permissions(tree.Write("setuid", "x"), fs::perms(04755));
  fs::permissions(tree.Write("both", "x"), fs::perms(06755));
  const auto modes = [&](const char* mode, json::object options = {}) {
    return Find(tree, {{"modes", TextList({mode})}}, std::move(options));
  };
  CHECK(modes("4755") == FoundNames{"setuid"});
  CHECK(modes("0644") == FoundNames{"plain"});
  CHECK(modes("-4000") == FoundNames{"setuid", "both"});
  CHECK(modes("-6000") == FoundNames{"both"});
  CHECK(modes("/6000") == FoundNames{"setuid", "both"});
  CHECK(modes("!/6000") == FoundNames{"plain"});
  CHECK(modes("/6000", Mismatch("mode")) == FoundNames{"plain"});
  CHECK(modes("^-rw") == FoundNames{"plain"});  // a mode's text, as before
  CHECK(Refused("modes", TextList({"-0"})).find("no bit") != std::string::npos);
  CHECK(Refused("modes", TextList({"8"})).find("octal") != std::string::npos);
  CHECK(Refused("modes", TextList({"17777"})).find("octal") != std::string::npos);
  CHECK_FALSE(Refused("modes", TextList({"644", "755"})).empty());
  CHECK_FALSE(Refused("modes", TextList({"644", "/6000"})).empty());
  CHECK_FALSE(Refused("modes", TextList({"644", "-4000"})).empty());
  CHECK(Refused("modes", TextList({"4755", "-4000", "/6000", "!644"})).empty());
}

TEST_CASE("file: access, change and birth have ages as modification has", "[modules]") {
  SearchTree tree;
  const fs::path old = tree.Write("old", "x");
  tree.Write("young", "x");
  const UtcTime now = Now();
  const auto then = std::chrono::floor<std::chrono::seconds>(now - std::chrono::hours(48));
  const timespec times[2] = {{then.time_since_epoch().count(), 5}, {0, UTIME_OMIT}};
  REQUIRE(::utimensat(AT_FDCWD, old.c_str(), times, 0) == 0);
  CHECK(Find(tree, {{"atimes", TextList({">1d"})}}) == FoundNames{"old"});
  CHECK(Find(tree, {{"atimes", TextList({"<1d"})}}) == FoundNames{"young"});
  CHECK(Find(tree, {{"atimes", TextList({"<1d"})}}, Mismatch("atime")) == FoundNames{"old"});
  // The status of both was changed just now, whatever utimensat was told.
  CHECK(Find(tree, {{"ctimes", TextList({"<1h"})}}) == FoundNames{"old", "young"});
  const UtcTime later = now + std::chrono::hours(72);
  CHECK(Find(tree, {{"ctimes", TextList({">2d"})}}, {}, later) == FoundNames{"old", "young"});
  CHECK(Find(tree, {{"ctimes", TextList({">2d"})}}).empty());

  CHECK(Fileinfo(tree, {{"names", TextList({"^old$"})}, {"atimes", TextList({">1d"})}})
            .at("atime")
            .as_string()
            .ends_with(".000000005 +0000 UTC"));
  for (const char* field : {"atimes", "ctimes", "btimes", "mtimes"}) {
    INFO(field);
    CHECK(Refused(field, TextList({">2d", "<1d"})).find("`<1d` and `>2d`") != std::string::npos);
    CHECK(Refused(field, TextList({">1d", "<2d"})).empty());
    CHECK(Refused(field, TextList({">2d", "<1d"}), {{"matchall", false}}).empty());
    CHECK_FALSE(Refused(field, TextList({"1d"})).empty());
  }
}

TEST_CASE("file: a birth time is told, or its absence counted by name", "[modules]") {
  SearchTree tree;
  tree.Write("f", "x");
  const auto status = os::StatusAt(AT_FDCWD, tree.at("f").c_str(), false);
  REQUIRE(status);
  const auto result = RunFileSearch(OneSearch(tree.at(""), {{"btimes", TextList({"<1h"})}}));
  if (status->born) {
    CHECK(NamesFound(result) == FoundNames{"f"});
    CHECK(result.elements.at("s1").at(0).at("fileinfo").as_object().contains("btime"));
  } else {
    CHECK(NamesFound(result).empty());
    CHECK(Skipped(result, "nobirthtime") == 1);
  }
  // proc has none: neither young nor old, in either direction.
  for (const char* age : {"<1h", ">1h"}) {
    const auto none = RunFileSearch(OneSearch("/proc/self/status", {{"btimes", TextList({age})}}));
    CHECK_FALSE(none.foundanything);
    CHECK(Skipped(none, "nobirthtime") == 1);
  }
}

TEST_CASE("file: owners and groups by number, and by the names of this machine's files",
          "[modules]") {
  SearchTree tree;
  tree.Write("f", "x");
  const std::string uid = std::to_string(::geteuid());
  struct stat status {};
  REQUIRE(::stat(tree.at("f").c_str(), &status) == 0);
  const std::string gid = std::to_string(status.st_gid);
  CHECK(Find(tree, {{"owners", json::array{uid}}, {"groups", json::array{gid}}}) ==
        FoundNames{"f"});
  CHECK(Find(tree, {{"owners", json::array{"!" + uid}}}).empty());
  CHECK(Find(tree, {{"owners", TextList({"4294967294"})}}, Mismatch("owner")) == FoundNames{"f"});
  // Every system's first line of both files.
  const bool is_root = ::geteuid() == 0;
  CHECK(Find(tree, {{"owners", TextList({"root"})}}) == (is_root ? FoundNames{"f"} : FoundNames{}));
  CHECK(Find(tree, {{"owners", TextList({"!root"})}}) ==
        (is_root ? FoundNames{} : FoundNames{"f"}));
  if (is_root) {
    const auto info = Fileinfo(tree, {{"owners", TextList({"root"})}});
    CHECK(info.at("owner").as_string() == "root");
    CHECK(info.at("uid").to_number<int>() == 0);
    REQUIRE(::chown(tree.at("f").c_str(), 0, 4'000'000'000u) == 0);
    const auto strange = Fileinfo(tree, {{"groups", TextList({"4000000000"})}});
    CHECK(strange.at("group").is_null());  // nobody's number has no name
    CHECK(strange.at("gid").to_number<std::int64_t>() == 4'000'000'000);
  }
}

TEST_CASE("file: an owner that this machine does not know is an error by name, not a no",
          "[modules]") {
  SearchTree tree;
  tree.Write("f", "x");
  json::object parameters =
      OneSearch(tree.at(""), {{"owners", TextList({"no-such-user"})}}, {{"matchall", true}});
  const auto alone = RunFileSearch(parameters);
  CHECK_FALSE(alone.success);
  CHECK_FALSE(alone.foundanything);
  REQUIRE(alone.errors.size() == 1);
  CHECK(alone.errors[0].find("owners: `no-such-user` is not in /etc/passwd") != std::string::npos);
  CHECK(alone.elements.at("s1").as_array().empty());
  // Others of the same run are answered.
  json::object& searches = parameters["searches"].as_object();
  searches["s2"] = json::object{{"paths", json::array{tree.at("")}},
                                {"names", TextList({"f"})},
                                {"options", json::object{{"matchall", true}}}};
  const auto both = RunFileSearch(parameters);
  CHECK(both.success);
  CHECK(both.elements.at("s2").as_array().size() == 1);
  CHECK(both.statistics.at("unanswerable").as_object().contains("s1"));
  for (const char* bad : {"", "99999999999", "a:b", "!"}) {
    INFO(bad);
    CHECK_FALSE(Refused("owners", TextList({bad})).empty());
  }
  CHECK_FALSE(Refused("owners", TextList({"root", "daemon"})).empty());
  CHECK(Refused("owners", TextList({"root", "0"})).empty());  // may well be the same
  CHECK_FALSE(Refused("groups", TextList({"root", "!root"})).empty());
}

TEST_CASE("file: inodes and numbers of links", "[modules]") {
  SearchTree tree;
  tree.Write("one", "x");
  tree.Write("two", "x");
  fs::create_hard_link(tree.at("two"), tree.at("again"));
  struct stat status {};
  REQUIRE(::stat(tree.at("two").c_str(), &status) == 0);
  const std::string inode = std::to_string(status.st_ino);
  CHECK(Find(tree, {{"inodes", json::array{inode}}}) == FoundNames{"two", "again"});
  CHECK(Find(tree, {{"links", TextList({">2"})}}) == FoundNames{"two", "again"});
  CHECK(Find(tree, {{"links", TextList({"1"})}}) == FoundNames{"one"});
  CHECK(Find(tree, {{"links", TextList({"<1"})}}, Mismatch("links")) == FoundNames{"two", "again"});
  CHECK(Fileinfo(tree, {{"links", TextList({"1"})}}).at("links").to_number<int>() == 1);
  CHECK_FALSE(Refused("inodes", TextList({"1", "2"})).empty());
  CHECK_FALSE(Refused("inodes", TextList({"x"})).empty());
  CHECK_FALSE(Refused("links", TextList({">3", "<2"})).empty());
  CHECK_FALSE(Refused("links", TextList({"1k"})).empty());
}

TEST_CASE("file: extended attributes by name and value", "[modules]") {
  SearchTree tree;
  tree.Write("plain", "x");
  tree.Write("marked", "x");
  const char value[] = "https://example.org/";
  if (::setxattr(tree.at("marked").c_str(), "user.origin", value, sizeof value - 1, 0) != 0) {
    MIG_SKIP("this file system has no user attributes");
  }
  const auto xattrs = [&](const char* text, json::object options = {}) {
    return Find(tree, {{"xattrs", TextList({text})}}, std::move(options));
  };
  CHECK(xattrs("^user\\.") == FoundNames{"marked"});
  CHECK(xattrs("^user.origin$=^https://example") == FoundNames{"marked"});
  CHECK(xattrs("^user.origin$=^http://").empty());
  CHECK(xattrs("!^user\\.") == FoundNames{"plain"});
  CHECK(xattrs("^user\\.", Mismatch("xattr")) == FoundNames{"plain"});
  const auto info = Fileinfo(tree, {{"xattrs", TextList({"user"})}});
  CHECK(json::Write(info.at("xattrs")).find("user.origin") != std::string::npos);
  CHECK(json::Write(info).find("example.org") == std::string::npos);  // names, no values
  for (const char* bad : {"", "=x", "x=", "(", "x=("}) {
    INFO(bad);
    CHECK_FALSE(Refused("xattrs", TextList({bad})).empty());
  }
}

TEST_CASE("file: capabilities that a file gives", "[modules]") {
  SearchTree tree;
  tree.Write("plain", "x");
  tree.Write("ping", "x");
  const unsigned char raw[] = {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  if (::setxattr(tree.at("ping").c_str(), "security.capability", raw, sizeof raw, 0) != 0) {
    MIG_SKIP("capabilities can be given to files by root only");
  }
  const auto found = [&](const char* text) {
    return Find(tree, {{"capabilities", TextList({text})}});
  };
  CHECK(found("^cap_net_raw=") == FoundNames{"ping"});
  CHECK(found("=e") == FoundNames{"ping"});
  CHECK(found("cap_sys_admin").empty());
  CHECK(found("!.") == FoundNames{"plain"});
  CHECK(json::Write(Fileinfo(tree, {{"capabilities", TextList({"."})}}).at("capabilities")) ==
        "[\"cap_net_raw=ep\"]");
}

TEST_CASE("file: flags of the file system, or their absence counted by name", "[modules]") {
  SearchTree tree;
  tree.Write("plain", "x");
  tree.Write("kept", "x");
  const auto words = TextList({"immutable"});
  const auto status = os::StatusAt(AT_FDCWD, tree.at("kept").c_str(), false);
  REQUIRE(status);
  if ((status->known_flags & static_cast<unsigned>(os::FileFlag::kImmutable)) == 0) {
    const auto result = RunFileSearch(OneSearch(tree.at(""), {{"flags", words}}));
    CHECK(Skipped(result, "noflags") == 2);
    MIG_SKIP("this file system does not tell flags");
  }
  const os::FileDescriptor file(::open(tree.at("kept").c_str(), O_RDONLY | O_CLOEXEC));
  int flags = FS_NODUMP_FL;
  if (::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) == 0) {
    CHECK(Find(tree, {{"flags", TextList({"nodump"})}}) == FoundNames{"kept"});
    CHECK(Find(tree, {{"flags", TextList({"!nodump"})}}) == FoundNames{"plain"});
  }
  flags = FS_IMMUTABLE_FL;
  if (::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) != 0) MIG_SKIP("flags are root's to set");
  CHECK(Find(tree, {{"flags", words}}) == FoundNames{"kept"});
  CHECK(json::Write(Fileinfo(tree, {{"flags", words}}).at("flags")) == "[\"immutable\"]");
  flags = 0;
  CHECK(::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) == 0);
}

TEST_CASE("file: flags are words, and a word with its opposite is refused", "[modules]") {
  CHECK(Refused("flags", TextList({"imutable"})).find("immutable, append") != std::string::npos);
  CHECK_FALSE(Refused("flags", TextList({"append", "!append"})).empty());
  CHECK(Refused("flags", TextList({"append", "immutable"})).empty());
  CHECK_FALSE(Refused("names", TextList({"a", "!a"})).empty());
  CHECK_FALSE(Refused("contents", TextList({"a", "!a"})).empty());
}

TEST_CASE("file: an answer has MIG's fields alone unless more was asked for", "[modules]") {
  SearchTree tree;
  tree.Write("f", "x");
  const auto info = Fileinfo(tree, {{"names", TextList({"f"})}});
  CHECK(info.size() == 3);
}
