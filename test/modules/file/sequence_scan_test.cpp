#include "modules/file/sequence_scan.h"

#include <catch2/catch.hpp>

#include "test/modules/file/searching.h"

using namespace mig;
using namespace mig::file;

namespace {

Search SearchOf(json::array bytes) {
  auto searches =
      ParseSearches(OneSearch("/", {{"bytes", std::move(bytes)}}, {{"matchall", false}}));
  REQUIRE(searches);
  return std::move(searches->front());
}

std::string Found(const Search& search, BytesView content, std::size_t step) {
  SequenceScan scan;
  scan.Add(search);
  while (!content.empty()) {
    scan.Feed(content.substr(0, step));
    content.remove_prefix(std::min(step, content.size()));
  }
  std::string found;
  for (const Check& check : search.checks) found += scan.Found(check) ? 'y' : 'n';
  return found;
}

}  // namespace

TEST_CASE("file bytes: a sequence is seen across whatever it is read in", "[modules]") {
  const Search search =
      SearchOf(TextList({"61 62 63", "63 64", "61 [1-6] 64", "78", "63 [0-3] 78"}));
  const std::string content = "zzabcdzz";
  for (std::size_t step = 1; step <= content.size(); ++step) {
    CAPTURE(step);
    CHECK(Found(search, content, step) == "yyynn");
  }
  // Each place for the seam.
  for (std::size_t before = 0; before < 40; ++before) {
    CAPTURE(before);
    CHECK(Found(SearchOf(TextList({"6e 65 65 64 6c 65"})), std::string(before, '.') + "needle",
                20) == "y");
  }
}

TEST_CASE("file bytes: a search for bytes reads no more than it needs", "[modules]") {
  const Search search = SearchOf(TextList({"61", "!62"}));
  SequenceScan scan;
  scan.Add(search);
  scan.Feed("a");
  CHECK_FALSE(scan.decided());
  scan.Feed("b");
  CHECK(scan.decided());
}

TEST_CASE("file: bytes are found or, with a !, are not", "[modules]") {
  SearchTree tree;
  tree.Write("elf", std::string("\x7f"
                                "ELF\x02\x01\n\0x",
                                9));
  tree.Write("text", "needle\n");
  tree.Write("empty", "");
  const auto found = [&](json::array bytes, json::object options = {}) {
    return NamesFound(
        RunFileSearch(OneSearch(tree.at(""), {{"bytes", std::move(bytes)}}, std::move(options))));
  };
  CHECK(found(TextList({"7f 45 4c 46 0?"})) == FoundNames{"elf"});
  CHECK(found(TextList({"01 0a 00"})) == FoundNames{"elf"});  // also across a line break
  CHECK(found(TextList({"!7f454c46"})) == FoundNames{"text", "empty"});
  CHECK(found(TextList({"65", "!6c65"})).empty());
  CHECK(found(TextList({"6e 65", "!7f"})) == FoundNames{"text"});
  CHECK(found(TextList({"6e", "7f"}), {{"matchall", false}}) == FoundNames{"elf", "text"});
  CHECK(found(TextList({"6e"}), {{"mismatch", TextList({"bytes"})}}) == FoundNames{"elf", "empty"});
  CHECK(found(TextList({"!6e"}), {{"mismatch", TextList({"bytes"})}}) == FoundNames{"text"});

  CHECK(RefusalOf(OneSearch("/", {{"bytes", TextList({"7"})}})).find("bytes") != std::string::npos);
  CHECK(RefusalOf(OneSearch("/", {{"bytes", TextList({"7f", "!7f"})}})).find("7f") !=
        std::string::npos);
  CHECK(RefusalOf(OneSearch("/", {{"bytes", TextList({"!"})}})).find("names no byte") !=
        std::string::npos);
}

TEST_CASE("file: bytes and contents and digests of one search are decided in one reading",
          "[modules]") {
  SearchTree tree;
  tree.Write("big", "\xde\xad" + std::string(5'000'000, 'b') + "\nneedle\n");
  const auto run = [&](json::object fields) {
    return RunFileSearch(OneSearch(tree.at(""), std::move(fields)));
  };
  const auto read = [](const ModuleResult& result) {
    return result.statistics.at("bytesread").to_number<std::uint64_t>();
  };
  const ModuleResult both =
      run({{"bytes", TextList({"de ad"})}, {"contents", TextList({"^needle$"})}});
  CHECK(NamesFound(both) == FoundNames{"big"});
  CHECK(read(both) == 5'000'010);
  CHECK(read(run({{"bytes", TextList({"!dead"})}, {"contents", TextList({"^needle$"})}})) <
        1'000'000);
}

TEST_CASE("file: the digests that are asked for come back with each find", "[modules]") {
  SearchTree tree;
  tree.Write("abc", "abc");
  const auto info = [&](json::object options) {
    const ModuleResult result =
        RunFileSearch(OneSearch(tree.at(""), {{"names", TextList({"^abc$"})}}, std::move(options)));
    return result.elements.at("s1").at(0).at("fileinfo").as_object();
  };
  // FIPS 180-4, FIPS 202, RFC 1321: the digests of "abc".
  const json::object several =
      info({{"returndigests", TextList({"sha3-224", "md5", "sha1", "md5"})}});
  CHECK(several.at("md5") == "900150983CD24FB0D6963F7D28E17F72");
  CHECK(several.at("sha1") == "A9993E364706816ABA3E25717850C26C9CD0D89D");
  CHECK(several.at("sha3-224") == "E642824C3F8CF24AD09234EE7D3C766FC9A3A5168D0C94AD73B46FDF");
  CHECK(several.size() == 6);  // size, mode, lastmodified
  CHECK(info({{"returnsha256", true}, {"returndigests", TextList({"sha256"})}}).size() == 4);
  for (const char* name : {"md5", "sha1", "sha256", "sha384", "sha512", "sha3-224", "sha3-256",
                           "sha3-384", "sha3-512"}) {
    CHECK(info({{"returndigests", TextList({name})}}).contains(name));
  }
  CHECK(RefusalOf(
            OneSearch("/", {{"names", TextList({"x"})}}, {{"returndigests", TextList({"sha2"})}}))
            .find("sha2") != std::string::npos);
}
