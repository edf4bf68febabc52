// The file module on small trees made here. Expected digests are sha256sum's and openssl's.
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "modules/file/search.h"
#include "modules/module.h"
#include "test/temp_folder.h"

using namespace mig;

namespace {

namespace fs = std::filesystem;
using Set = std::set<std::string>;

struct Tree : TempFolder {
  std::string at(const std::string& name) const { return (path() / name).string(); }
};

// A search with these fields; options default to MIG's command line.
json::object SearchFor(const std::string& path, json::object fields, json::object options = {}) {
  fields["paths"] = json::array{path};
  if (!options.contains("matchall")) options["matchall"] = true;
  fields["options"] = std::move(options);
  return fields;
}

json::array List(std::initializer_list<const char*> texts) {
  json::array list;
  for (const char* text : texts) list.emplace_back(text);
  return list;
}

ModuleResult RunAll(json::object searches, UtcTime now = Now()) {
  const Module* module = FindModule("file");
  REQUIRE(module != nullptr);
  const json::object parameters{{"searches", std::move(searches)}};
  CollectingSink sink;
  RunContext context{sink, now};
  ModuleResult summary = RunModule(*module, parameters, context, false);
  auto joined = std::move(sink).Take().Finish(std::move(summary));
  REQUIRE(joined);
  return std::move(*joined);
}

ModuleResult RunOne(json::object search, UtcTime now = Now()) {
  return RunAll({{"s1", std::move(search)}}, now);
}

// Base names of what was found under a label, once each.
Set Found(const ModuleResult& result, const std::string& label = "s1") {
  CAPTURE(result.errors);
  REQUIRE(result.success);
  Set names;
  for (const json::value& element : result.elements.at(label).as_array()) {
    const auto file = json::ToName(element.at("file"));
    REQUIRE(file);
    if (!file->empty()) names.insert(fs::path(*file).filename().string());
  }
  return names;
}

std::string Refusal(json::object search) {
  const json::object parameters{{"searches", json::object{{"s1", std::move(search)}}}};
  auto checked = CheckParameters(*FindModule("file"), parameters);
  return checked ? "" : checked.error().message();
}

Bytes Gzip(const Bytes& content) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(content.size() + 256, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("file: names are searched as regexes on the base name, ! inverts", "[modules]") {
  Tree tree;
  tree.Write("a/passwd", "x");
  tree.Write("a/passwd-", "x");
  tree.Write("passwd/other", "x");
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"names", List({"^passwd$"})}}))) == Set{"passwd"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"names", List({"passwd"})}}))) ==
        Set{"passwd", "passwd-"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"names", List({"!passwd"})}}))) == Set{"other"});
}

TEST_CASE("file: sizes are inclusive and 1024-based", "[modules]") {
  Tree tree;
  tree.Write("k1", std::string(1024, 'x'));
  tree.Write("k1m", std::string(1023, 'x'));
  tree.Write("k1p", std::string(1025, 'x'));
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"sizes", List({"1k"})}}))) == Set{"k1"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"sizes", List({"<1k"})}}))) == Set{"k1", "k1m"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"sizes", List({">1k"})}}))) == Set{"k1", "k1p"});
  for (const char* bad : {">", "<k", "10x", "", "-1", "1kb", "99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(Refusal(SearchFor("/x", {{"sizes", List({bad})}})).empty());
  }
}

TEST_CASE("file: modes are MIG's text, and ! inverts them too", "[modules]") {
  Tree tree;
  fs::permissions(tree.Write("plain", "x"), fs::perms(0640));
  fs::permissions(tree.Write("setuid", "x"), fs::perms(04755));
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"modes", List({"^-rw-r-----$"})}}))) == Set{"plain"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"modes", List({"^u"})}}))) == Set{"setuid"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"modes", List({"!^u"})}}))) == Set{"plain"});
}

TEST_CASE("file: ages count from the run's start, strictly", "[modules]") {
  Tree tree;
  const fs::path file = tree.Write("f", "x");
  const UtcTime now = *ParseRfc3339("2026-11-23T12:00:00Z");
  const auto set = [&](UtcTime time) {
    const auto file_time = fs::file_time_type::clock::from_sys(time);
    fs::last_write_time(file, file_time);
  };
  set(now - std::chrono::hours(24));
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({"<1d"})}}), now)).empty());
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({">1d"})}}), now)).empty());
  set(now - std::chrono::hours(24) - std::chrono::milliseconds(1));
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({">1d"})}}), now)) == Set{"f"});
  set(now + std::chrono::hours(1));  // the future counts as young
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({"<1m"})}}), now)) == Set{"f"});
  CHECK_FALSE(Refusal(SearchFor("/x", {{"mtimes", List({"1d"})}})).empty());
}

TEST_CASE("file: digests of every kind and length, in either case", "[modules]") {
  Tree tree;
  tree.Write("abc", "abc");
  tree.Write("abcd", "abcd");
  // "abc": RFC 1321 A.5, FIPS 180 and FIPS 202 examples.
  const std::vector<std::pair<const char*, const char*>> digests = {
      {"md5", "900150983CD24FB0D6963F7D28E17F72"},
      {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"sha2", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"sha2",
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c"
       "825a7"},
      {"sha2",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3f"
       "eebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {"sha3", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
      {"sha3", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
  };
  for (const auto& [field, hex] : digests) {
    INFO(field << " " << hex);
    CHECK(Found(RunOne(SearchFor(tree.at(""), {{field, List({hex})}}))) == Set{"abc"});
  }
  CHECK_FALSE(Refusal(SearchFor("/x", {{"sha2", List({"abcd"})}})).empty());
  CHECK_FALSE(
      Refusal(SearchFor("/x", {{"md5", List({"zz0150983CD24FB0D6963F7D28E17F72"})}})).empty());
}

TEST_CASE("file: the truth table of contents, inverse, mismatch and macroal", "[modules]") {
  Tree tree;
  tree.Write("all", "yes 1\nyes 2\n");
  tree.Write("some", "yes 1\nno\n");
  tree.Write("none", "no\nno\n");
  tree.Write("empty", "");
  const auto found = [&](const char* content, json::object options) {
    return Found(RunOne(SearchFor(tree.at(""), {{"contents", List({content})}}, options)));
  };
  const json::object mismatch{{"mismatch", List({"content"})}};
  const json::object macroal{{"macroal", true}};
  const json::object both{{"macroal", true}, {"mismatch", List({"content"})}};
  CHECK(found("^yes", {}) == Set{"all", "some"});
  CHECK(found("!^yes", {}) == Set{"none", "empty"});
  CHECK(found("^yes", mismatch) == Set{"none", "empty"});
  CHECK(found("!^yes", mismatch) == Set{"all", "some"});
  CHECK(found("^yes", macroal) == Set{"all"});
  CHECK(found("!^yes", macroal) == Set{"none", "empty"});
  CHECK(found("^yes", both) == Set{"some", "none", "empty"});
  CHECK(found("!^yes", both) == Set{"all", "some"});
  json::object any{{"matchall", false}, {"mismatch", List({"content"})}};
  CHECK(found("^yes", any) == Set{"none", "empty"});
}

TEST_CASE("file: contents and digests together, inverted ones too", "[modules]") {
  Tree tree;
  tree.Write("abc", "abc");
  const char* const sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
  CHECK(Found(RunOne(SearchFor(
            tree.at(""), {{"contents", List({"!xyz"})}, {"sha1", List({sha1})}}))) == Set{"abc"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({"xyz"})}, {"sha1", List({sha1})}},
                               {{"mismatch", List({"content"})}}))) == Set{"abc"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({"abc"})}, {"sha1", List({sha1})}},
                               {{"mismatch", List({"sha1"})}})))
            .empty());
}

TEST_CASE("file: a line of any length is searched whole", "[modules]") {
  // MIG went blind after 64 KiB without a line break, and its inversions then lied.
  Tree tree;
  tree.Write("long", std::string(300'000, 'a') + "needle" + std::string(100'000, 'b') + "\n");
  tree.Write("after", std::string(300'000, 'a') + "\nneedle\n");
  tree.Write("crlf", "x\r\nneedle\r\n");
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({"needle"})}}))) ==
        Set{"long", "after", "crlf"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({"^needle$"})}}))) ==
        Set{"after", "crlf"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({"!needle"})}}))).empty());
}

TEST_CASE("file: a regex never reaches across lines, whatever it is made of", "[modules]") {
  Tree tree;
  tree.Write("two", "first\nsecond\n");
  for (const char* regex : {"first.second", "first\\ssecond", "first[^x]second", "first\\Wsecond",
                            "\\Asecond\\nx", "(?s)first.second"}) {
    INFO(regex);
    CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({regex})}}))).empty());
  }
  for (const char* regex : {"^second$", "\\Asecond\\z", "(?i)^SECOND", "t$"}) {
    INFO(regex);
    CHECK(Found(RunOne(SearchFor(tree.at(""), {{"contents", List({regex})}}))) == Set{"two"});
  }
}

TEST_CASE("file: bytes that are not UTF-8 are searched and reported as they are", "[modules]") {
  Tree tree;
  tree.Write("bytes-\xff", "\xff\xfe needle \x80\n");
  const auto result = RunOne(SearchFor(tree.at(""), {{"contents", List({"^.. needle .$"})}}));
  CHECK(Found(result) == Set{"bytes-\xff"});
  CHECK(result.elements.at("s1").at(0).at("file").is_object());
}

TEST_CASE("file: each search keeps to its own paths, depth and limit", "[modules]") {
  Tree tree;
  for (const char* name : {"d/1", "d/sub/2", "d/sub/deep/3", "dd/4", "other/5"}) {
    tree.Write(name, "x");
  }
  const json::object any_name{{"names", List({"^[0-9]$"})}};
  const auto result =
      RunAll({{"d", SearchFor(tree.at("d"), any_name)},
              {"all", SearchFor(tree.at(""), any_name)},
              {"shallow", SearchFor(tree.at("d"), any_name, {{"maxdepth", 1}})},
              {"two", SearchFor(tree.at("d"), any_name, {{"maxdepth", 2}})},
              {"limited", SearchFor(tree.at(""), any_name, {{"matchlimit", 2}})},
              {"deep", SearchFor(tree.at("d/sub/deep"), any_name, {{"maxdepth", 1}})}});
  CHECK(Found(result, "d") == Set{"1", "2", "3"});  // never dd
  CHECK(Found(result, "all") == Set{"1", "2", "3", "4", "5"});
  CHECK(Found(result, "shallow") == Set{"1"});
  CHECK(Found(result, "two") == Set{"1", "2"});
  CHECK(Found(result, "limited").size() == 2);
  CHECK(Found(result, "deep") == Set{"3"});
  // One walk: each file was looked at once, and the count says so.
  CHECK(result.statistics.at("filescount").to_number<int>() == 5);
  CHECK(result.statistics.at("matchlimitreached") == List({"limited"}));
}

TEST_CASE("file: a search whose own reach ends above does not hide a deeper one's", "[modules]") {
  Tree tree;
  tree.Write("a/b/c/f", "x");
  const auto result =
      RunAll({{"top", SearchFor(tree.at("a"), {{"names", List({"f"})}}, {{"maxdepth", 1}})},
              {"low", SearchFor(tree.at("a/b/c"), {{"names", List({"f"})}})}});
  CHECK(Found(result, "top").empty());
  CHECK(Found(result, "low") == Set{"f"});
}

TEST_CASE("file: links to files are looked at, links to directories never followed", "[modules]") {
  Tree tree;
  tree.Write("real/needle", "x");
  fs::create_symlink(tree.at("real/needle"), tree.at("real/link"));
  fs::create_directory_symlink(tree.at(""), tree.at("real/loop"));
  fs::create_symlink(tree.at("nowhere"), tree.at("real/broken"));
  const auto result = RunOne(SearchFor(tree.at("real"), {{"names", List({"."})}}));
  CHECK(Found(result) == Set{"needle", "link"});
  const auto& skipped = result.statistics.at("skipped").as_object();
  CHECK(skipped.at("linktodirectory").at("count").to_number<int>() == 1);
  CHECK(skipped.at("brokenlink").at("count").to_number<int>() == 1);
  CHECK(result.statistics.at("openfailed").to_number<int>() == 1);
}

TEST_CASE("file: a link given as a path is followed, and said so", "[modules]") {
  Tree tree;
  tree.Write("usr/bin/ls", "x");
  fs::create_directory_symlink("usr/bin", tree.at("bin"));
  fs::create_symlink("usr/bin/ls", tree.at("file-link"));
  const auto folder = RunOne(SearchFor(tree.at("bin"), {{"names", List({"^ls$"})}}));
  CHECK(Found(folder) == Set{"ls"});
  CHECK(folder.elements.at("s1").at(0).at("file").as_string() == tree.at("bin/ls"));
  CHECK(folder.statistics.at("followed").at(0).at("to").as_string() ==
        fs::canonical(tree.at("usr/bin")).string());
  CHECK(Found(RunOne(SearchFor(tree.at("file-link"), {{"names", List({"link"})}}))) ==
        Set{"file-link"});
}

TEST_CASE("file: what cannot be read is counted and named, never just not found", "[modules]") {
  Tree tree;
  const auto missing = RunOne(SearchFor(tree.at("missing"), {{"names", List({"."})}}));
  CHECK(missing.success);
  CHECK_FALSE(missing.foundanything);
  CHECK(missing.statistics.at("openfailed").to_number<int>() == 1);
  CHECK(missing.errors.size() == 1);

  REQUIRE(mkfifo(tree.at("fifo").c_str(), 0600) == 0);
  tree.Write("file", "x");
  const auto fifo = RunOne(SearchFor(tree.at(""), {{"contents", List({"x"})}}));
  CHECK(Found(fifo) == Set{"file"});  // and did not wait for the fifo's writer
  CHECK(fifo.statistics.at("skipped").at("special").at("count").to_number<int>() == 1);
}

TEST_CASE("file: gzip is looked into when asked, several members too", "[modules]") {
  Tree tree;
  tree.Write("one.gz", Gzip("needle\n"));
  tree.Write("two.gz", Gzip("first\n") + Gzip("needle\n") + std::string(512, '\0'));
  tree.Write("plain", "needle\n");
  tree.Write("empty", "");
  tree.Write("byte", "\x1f");
  const Bytes whole = Gzip(std::string(100'000, 'a') + "needle\n");
  tree.Write("cut.gz", whole.substr(0, whole.size() / 2));
  const json::object content{{"contents", List({"needle"})}};
  const auto result = RunAll({{"in", SearchFor(tree.at(""), content, {{"decompress", true}})},
                              {"raw", SearchFor(tree.at(""), content)}});
  CHECK(Found(result, "in") == Set{"one.gz", "two.gz", "plain"});
  CHECK(Found(result, "raw") == Set{"plain"});  // each search has its own decompress
  CHECK(result.errors.size() == 1);             // the one that is cut
  // The digest is of what is packed: printf 'needle\n' | sha256sum.
  const char* const sha256 = "d29210777777dac0b3d12f6a656a073c9ba717cf6932dbc01b0cc6dc1e7779b8";
  const auto hashed = RunOne(SearchFor(tree.at(""), {{"sha2", List({sha256})}},
                                       {{"decompress", true}, {"returnsha256", true}}));
  CHECK(Found(hashed) == Set{"one.gz", "plain"});
}

TEST_CASE("file: a gzip file that is broken for one search is plain bytes to another",
          "[modules]") {
  Tree tree;
  const Bytes whole = Gzip(std::string(100'000, 'a') + "needle\n");
  tree.Write("cut.gz", whole.substr(0, whole.size() / 2));
  const json::object content{{"contents", List({"^\\x1f\\x8b"})}};
  const auto result = RunAll(
      {{"in", SearchFor(tree.at(""), {{"contents", List({"needle"})}}, {{"decompress", true}})},
       {"raw", SearchFor(tree.at(""), content)}});
  CHECK(Found(result, "in").empty());
  CHECK(Found(result, "raw") == Set{"cut.gz"});
  CHECK(result.statistics.at("openfailed").to_number<int>() == 1);
}

TEST_CASE("file: a path that is a link has its own name, whoever else comes by its target",
          "[modules]") {
  Tree tree;
  tree.Write("folder/target", "x");
  fs::create_symlink("folder/target", tree.at("link"));
  const json::object other = SearchFor(tree.at("folder"), {{"names", List({"^other$"})}});
  const auto found = [&](const char* name) {
    return Found(
        RunAll({{"s1", SearchFor(tree.at("link"), {{"names", List({name})}})}, {"s2", other}}));
  };
  CHECK(found("^link$") == Set{"link"});
  CHECK(found("^target$").empty());
  // Both names in one search: each is one to look for.
  json::object both =
      SearchFor(tree.at("link"), {{"names", List({"^link$", "^target$"})}}, {{"matchall", false}});
  both["paths"].as_array().emplace_back(tree.at("folder"));
  CHECK(Found(RunOne(both)) == Set{"link", "target"});
}

TEST_CASE("file: matchany reports each check that says yes, and those that never do", "[modules]") {
  Tree tree;
  tree.Write("needle", "content\n");
  const auto result = RunOne(SearchFor(
      tree.at(""), {{"names", List({"needle", "absent"})}, {"contents", List({"content"})}},
      {{"matchall", false}}));
  const auto& elements = result.elements.at("s1").as_array();
  REQUIRE(elements.size() == 3);
  CHECK(result.statistics.at("totalhits").to_number<int>() == 2);
  int empty = 0;
  for (const json::value& element : elements) {
    if (element.at("file").as_string().empty()) {
      ++empty;
      CHECK(element.at("search").at("names").at(0).as_string() == "absent");
    }
  }
  CHECK(empty == 1);
}

TEST_CASE("file: of many checks that find nothing 64 are listed, and the others counted",
          "[modules]") {
  Tree tree;
  tree.Write("needle", "content\n");
  json::array names{"needle"};
  for (int i = 0; i < 100; ++i) names.emplace_back("absent" + std::to_string(i));
  const auto result =
      RunOne(SearchFor(tree.at(""), {{"names", std::move(names)}}, {{"matchall", false}}));
  CHECK(result.elements.at("s1").as_array().size() == 1 + 64);
  CHECK(result.statistics.at("checksnotlisted").at("s1").to_number<int>() == 36);
}

TEST_CASE("file: nothing found is an element without a file, as MIG has it", "[modules]") {
  Tree tree;
  const auto result = RunOne(SearchFor(tree.at(""), {{"names", List({"absent"})}}));
  CHECK_FALSE(result.foundanything);
  CHECK(result.success);
  REQUIRE(result.elements.at("s1").as_array().size() == 1);
  CHECK(result.elements.at("s1").at(0).at("file").as_string().empty());
  const Module& module = *FindModule("file");
  CHECK(PrintResult(module, result, true).empty());
  CHECK(PrintResult(module, result, false).at(0) == "0 match found in search 's1'");
}

TEST_CASE("file: contradictions and unknown parameters are refused by name", "[modules]") {
  CHECK(Refusal(SearchFor("/x", {})).find("asks for nothing") != std::string::npos);
  CHECK(Refusal(SearchFor("x", {{"names", List({"a"})}})).find("absolute") != std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"names", List({"a"})}}, {{"macroal", true}})).find("macroal") !=
        std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"names", List({"a"})}}, {{"mismatch", List({"size"})}}))
            .find("mismatch") != std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"names", List({"("})}})).find("regular expression") !=
        std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"nmaes", List({"a"})}})).find("nmaes") != std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"names", List({"a"})}}, {{"debug", "print"}})).find("debug") !=
        std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"sizes", List({">10k", "<5k"})}})) ==
        "searches.s1: sizes: no file is both `>10k` and `<5k`; with matchany either would do");
  CHECK(Refusal(SearchFor("/x", {{"mtimes", List({">2d", "<1d"})}})).find("`<1d` and `>2d`") !=
        std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"mtimes", List({">1d", "<2d"})}})).empty());
  const json::array two_digests =
      List({"d41d8cd98f00b204e9800998ecf8427e", "900150983cd24fb0d6963f7d28e17f72"});
  CHECK(Refusal(SearchFor("/x", {{"md5", two_digests}})).find("no file is both") !=
        std::string::npos);
  CHECK(Refusal(SearchFor("/x", {{"md5", two_digests}}, {{"matchall", false}})).empty());
  CHECK(Refusal(SearchFor("/x", {{"md5", two_digests}}, {{"mismatch", List({"md5"})}})).empty());
  CHECK(Refusal(SearchFor("/x", {{"names", List({"a"})}})).empty());
}

TEST_CASE("file: one folder under two names is walked once, each search keeps its spelling",
          "[modules]") {
  Tree tree;
  tree.Write("usr/bin/ls", "x");
  fs::create_directory_symlink("usr/bin", tree.at("bin"));
  const json::object any_name{{"names", List({"^ls$"})}};
  const auto result = RunAll({{"link", SearchFor(tree.at("bin"), any_name)},
                              {"real", SearchFor(tree.at("usr/bin"), any_name)},
                              {"all", SearchFor(tree.at(""), any_name)}});
  const auto file = [&](const char* label) {
    return std::string(result.elements.at(label).at(0).at("file").as_string());
  };
  CHECK(file("link") == tree.at("bin/ls"));
  CHECK(file("real") == tree.at("usr/bin/ls"));
  CHECK(file("all") == tree.at("usr/bin/ls"));
  CHECK(result.statistics.at("filescount").to_number<int>() == 1);
}

TEST_CASE("file: other machines' file systems are left out unless asked for, per search",
          "[modules]") {
  // What is a mount and of which kind is the walk's business (test/os/file_walk_test.cpp); here
  // only that both forms are accepted and come back in the definition.
  Tree tree;
  tree.Write("f", "x");
  const auto result =
      RunOne(SearchFor(tree.at(""), {{"names", List({"f"})}}, {{"remotefs", true}}));
  CHECK(result.elements.at("s1").at(0).at("search").at("options").at("remotefs").as_bool());
}

TEST_CASE("file: a file of the far future or past is one, whatever its clock", "[modules]") {
  Tree tree;
  tree.Write("future", "x");
  tree.Write("past", "x");
  const auto touch = [&](const char* name, std::int64_t seconds) {
    const timespec times[2] = {{0, UTIME_OMIT}, {seconds, 5}};
    REQUIRE(::utimensat(AT_FDCWD, tree.at(name).c_str(), times, 0) == 0);
  };
  touch("future", 15'032'385'535);  // the year 2446, as far as ext4 goes
  touch("past", -2'147'483'648);
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({"<1d"})}}))) == Set{"future"});
  CHECK(Found(RunOne(SearchFor(tree.at(""), {{"mtimes", List({">36500d"})}}))) == Set{"past"});
}

TEST_CASE("file: a path that is not UTF-8 does not break the answer, even in an error",
          "[modules]") {
  Tree tree;
  fs::create_symlink("nowhere", tree.at("broken-\xff"));
  const auto result = RunOne(SearchFor(tree.at(""), {{"names", List({"."})}}));
  REQUIRE(result.errors.size() == 1);
  const std::string text = json::Write(ToJson(result));
  CHECK(json::ParseObject(text));
  CHECK(text.find("broken-\\\\xff") != std::string::npos);
}

TEST_CASE("file: a definition too long to repeat with each find is abridged, and says so",
          "[modules]") {
  Tree tree;
  tree.Write("f", "x");
  json::array names;
  for (int i = 0; i < 1000; ++i) names.emplace_back("name" + std::to_string(i));
  names.emplace_back("!f");
  const auto result =
      RunOne(SearchFor(tree.at(""), {{"names", names}}, {{"mismatch", List({"name"})}}));
  const json::value& search = result.elements.at("s1").at(0).at("search");
  CHECK(Found(result) == Set{"f"});
  CHECK(search.at("abridged").as_bool());
  CHECK(search.at("names").as_array().size() == 3);
  CHECK(search.at("options").at("mismatch").at(0).as_string() == "name");
}

TEST_CASE("file: contents and digests of a file larger than one read", "[modules]") {
  Tree tree;
  const std::string content =
      std::string(3'000'000, 'a') + "\nneedle\n" + std::string(500'000, 'b');
  tree.Write("big", content);
  // printf: python3 -c 'import hashlib;
  // print(hashlib.sha256(b"a"*3000000+b"\nneedle\n"+b"b"*500000).hexdigest())'
  const char* const sha256 = "102bdb182f5f2da32a76a10afa22b29dc9d0251f890c7bb27d92d791286233b6";
  const auto found = [&](json::object fields) {
    return Found(RunOne(SearchFor(tree.at(""), std::move(fields))));
  };
  CHECK(found({{"contents", List({"^needle$"})}, {"sha2", List({sha256})}}) == Set{"big"});
  CHECK(found({{"contents", List({"!^needles$"})}, {"sha2", List({sha256})}}) == Set{"big"});
  CHECK(found({{"contents", List({"!^needle$"})}, {"sha2", List({sha256})}}).empty());
}

TEST_CASE("file: reading stops where nothing more can be learned", "[modules]") {
  Tree tree;
  tree.Write("big", "needle\n" + std::string(5'000'000, 'b'));
  const auto read = [&](json::object fields) {
    const auto result = RunOne(SearchFor(tree.at(""), std::move(fields)));
    return result.statistics.at("bytesread").to_number<std::uint64_t>();
  };
  CHECK(read({{"contents", List({"needle"})}}) < 1'000'000);
  CHECK(read({{"contents", List({"!needle"})}}) < 1'000'000);
  const char* const zeros = "0000000000000000000000000000000000000000";
  CHECK(read({{"contents", List({"!needle"})}, {"sha1", List({zeros})}}) < 1'000'000);
  CHECK(read({{"contents", List({"needle"})}, {"sha1", List({zeros})}}) > 5'000'000);
  CHECK(read({{"names", List({"other"})}, {"sha1", List({zeros})}}) == 0);
}

TEST_CASE("file: prints as MIG prints", "[modules]") {
  Tree tree;
  fs::permissions(tree.Write("f", "12 bytes :-)"), fs::perms(0644));
  fs::last_write_time(
      tree.at("f"), fs::file_time_type::clock::from_sys(*ParseRfc3339("2026-11-22T18:57:00.123Z")));
  const auto result =
      RunOne(SearchFor(tree.at(""), {{"names", List({"^f$"})}}, {{"returnsha256", true}}));
  const auto lines = PrintResult(*FindModule("file"), result, true);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with(tree.at("f") +
                             " [lastmodified:2026-11-22 18:57:00.123 +0000 UTC, mode:-rw-r--r--, "
                             "size:12, sha256:"));
  CHECK(lines[0].ends_with("] in search 's1'"));
}

TEST_CASE("file: MIG's flags become MIG's parameters", "[modules]") {
  const std::vector<std::string> words = {"-path",    "/etc",         "-name",
                                          "^passwd$", "--maxdepth=3", "-matchany"};
  const auto parameters = ParametersFromArguments(*FindModule("file"), words);
  REQUIRE(parameters);
  const auto& search = parameters->at("searches").at("s1");
  CHECK(search.at("paths").at(0).as_string() == "/etc");
  CHECK(search.at("options").at("maxdepth").to_number<int>() == 3);
  CHECK(search.at("options").at("matchlimit").to_number<int>() == 1000);
  CHECK_FALSE(search.at("options").at("matchall").as_bool());
}

TEST_CASE("file: 200,000 matches go by in linear time and without standing in memory",
          "[modules]") {
  // Quadratic bookkeeping would take minutes here; the sink keeps nothing but a count.
  Tree tree;
  for (int folder = 0; folder < 20; ++folder) {
    const auto name = tree.path() / std::to_string(folder);
    fs::create_directory(name);
    for (int file = 0; file < 500; ++file) std::ofstream(name / std::to_string(file));
  }
  struct Counting : ElementSink {
    std::size_t count = 0;
    bool Emit(std::string_view, json::value) override {
      ++count;
      return true;
    }
  } sink;
  json::array names;
  for (int i = 0; i < 20; ++i) names.emplace_back(".");
  const json::object parameters{
      {"searches",
       json::object{{"s", SearchFor(tree.at(""), {{"names", names}}, {{"matchall", false}})}}}};
  RunContext context{sink, Now()};
  const ModuleResult summary = RunModule(*FindModule("file"), parameters, context, false);
  CHECK(summary.success);
  CHECK(sink.count == 200'000);
}

TEST_CASE("file: privacy leaves no path", "[modules]") {
  Tree tree;
  tree.Write("secret-name", "x");
  fs::create_directory_symlink(tree.at(""), tree.at("loop"));
  CollectingSink sink;
  RunContext context{sink, Now()};
  const json::object parameters{
      {"searches",
       json::object{{"s1", SearchFor(tree.at(""), {{"names", List({"."})},
                                                   {"owners", List({"!4294967294"})},
                                                   {"groups", List({"!4294967294"})}})}}}};
  const Module& module = *FindModule("file");
  ModuleResult summary = RunModule(module, parameters, context, true);
  auto result = std::move(sink).Take().Finish(std::move(summary));
  REQUIRE(result);
  json::object text = ToJson(*result);
  for (json::value& element : text["elements"].at("s1").as_array()) MaskElement(module, element);
  CHECK(json::Write(text).find(tree.path().filename().string()) == std::string::npos);
  const json::value& info = text["elements"].at("s1").at(0).at("fileinfo");
  CHECK(info.at("owner").as_string() == "masked");
  CHECK(info.at("group").as_string() == "masked");
}

TEST_CASE("file: paths are made clean without asking the file system", "[modules]") {
  CHECK(file::CleanPath("/etc//ssh/../x/.") == "/etc/x");
  CHECK(file::CleanPath("/..") == "/");
  CHECK(file::CleanPath("etc").empty());
}
