#include "modules/file/zip_reader.h"

#include <bzlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "test/modules/file/archive_maker.h"

using namespace mig;
using namespace mig::file;

namespace {

using Lines = std::vector<std::string>;

std::string Bzip2Of(std::string content) {
  std::string out(content.size() + 1000, '\0');
  auto size = static_cast<unsigned>(out.size());
  REQUIRE(BZ2_bzBuffToBuffCompress(out.data(), &size, content.data(),
                                   static_cast<unsigned>(content.size()), 9, 0, 0) == BZ_OK);
  out.resize(size);
  return out;
}

std::string ZstdOf(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3));
  return out;
}

Lines LinesOf(const std::string& zip, std::string* error = nullptr) {
  MemberLog log;
  const std::string why = ReadZip(zip, log);
  if (error != nullptr) {
    *error = why;
  } else {
    CHECK(why == "");
  }
  return log.lines;
}

std::string Patched(std::string zip, const std::string& old, const std::string& with) {
  const std::size_t at = zip.find(old);
  REQUIRE(at != std::string::npos);
  return zip.replace(at, with.size(), with);
}

}  // namespace

TEST_CASE("zip: members come by every method that is read", "[modules]") {
  const std::string text = "needle in a haystack\n";
  CHECK(LinesOf(ZipOf({{.name = "stored", .content = text},
                       {.name = "deflated", .content = text, .method = 8},
                       {.name = "b", .content = text, .method = 12, .packed = Bzip2Of(text)},
                       {.name = "z", .content = text, .method = 93, .packed = ZstdOf(text)},
                       {.name = "empty", .content = "", .method = 8},
                       {.name = "dir/"}})) == Lines{"stored|21|" + text, "deflated|21|" + text,
                                                    "b|21|" + text, "z|21|" + text, "empty|0|",
                                                    "dir/|0|"});
  CHECK(LinesOf(ZipOf({})).empty());
  // Behind a program that unpacks itself, and with a comment that looks like the end.
  CHECK(LinesOf(ZipOf({{.name = "a", .content = "x"}}, std::string(5000, '#'),
                      std::string("PK\5\6 is how it ends", 20))) == Lines{"a|1|x"});
  CHECK(LinesOf(ZipOf({{.name = "a", .content = "x", .zip64 = true},
                       {.name = "b", .content = text, .method = 8, .zip64 = true}})) ==
        Lines{"a|1|x", "b|21|" + text});
}

TEST_CASE("zip: status is what UNIX programs leave of it", "[modules]") {
  MemberLog log;
  // Modified 2020-09-13, user 1000 of group 100.
  const std::string extra =
      std::string("UT\5\0\1\0\x60\x5e\x5f", 9) + std::string("ux\7\0\1\2\xe8\3\2\x64\0", 11);
  CHECK(ReadZip(ZipOf({{.name = "a", .unix_mode = 0104755, .extra = extra},
                       {.name = "link", .content = "to/where", .unix_mode = 0120777},
                       {.name = "dos", .unix_mode = 0}}),
                log) == "");
  CHECK(log.members[0].mode == 04755u);
  CHECK(log.members[0].modified == os::FileTime{0x5f5e6000, 0});
  CHECK(log.members[0].owner == 1000u);
  CHECK(log.members[0].group == 100u);
  CHECK(log.members[1].type == os::FileType::kSymlink);
  CHECK(log.members[1].target == "to/where");
  CHECK_FALSE(log.members[2].mode.has_value());
  CHECK(log.members[2].modified == os::FileTime{1716730380, 0});
  CHECK_FALSE(log.members[2].owner.has_value());
}

TEST_CASE("zip: a broken member is broken, and the others are not", "[modules]") {
  const ZipMember after{.name = "after", .content = "y"};
  const auto first = [&](ZipMember member) {
    member.name = "a";
    const Lines lines = LinesOf(ZipOf({member, after}));
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == "after|1|y");
    return lines[0];
  };
  CHECK(first({.content = "x", .crc_change = 1}) == "a!broken zip: a member's checksum is wrong");
  CHECK(first({.content = "x", .size_change = 1}) ==
        "a!broken zip: a member has another size than it should");
  CHECK(first({.content = "x", .local_name = "b"}) ==
        "a!broken zip: a member has another name than its directory says");
  CHECK(first({.content = "xyz", .method = 8, .packed = "\x4b"}) ==
        "a!broken zip: a member ends too early");
  CHECK(first({.content = "x", .method = 8, .packed = "\xff\xff"}).starts_with("a!broken deflate"));
  CHECK(first({.content = "x", .flags = 1}) == "a|1|encryptedmember");
  CHECK(first({.content = "x", .method = 9, .packed = "?"}) == "a|1|unsupportedmember");
}

TEST_CASE("zip: one without a whole directory is broken", "[modules]") {
  const std::string zip =
      ZipOf({{.name = "a" + std::string(60, 'n'), .content = "x"}, {.name = "b", .content = "y"}});
  std::string error;
  for (std::size_t size = 0; size < zip.size(); ++size) {
    INFO("cut at " << size);
    LinesOf(zip.substr(0, size), &error);
    CHECK(error == "broken zip: it has no directory");
  }
  const std::string end("PK\5\6");
  const auto with = [&](std::size_t offset, const std::string& bytes) {
    std::string changed = zip;
    changed.replace(changed.find(end) + offset, bytes.size(), bytes);
    LinesOf(changed, &error);
    return error;
  };
  CHECK(with(4, "\1") == "broken zip: it goes over several files");
  CHECK(with(8, std::string("\3\0\3", 3)) == "broken zip: its directory is cut");
  CHECK(with(8, std::string("\xf0\1\xf0\1", 4)) ==
        "broken zip: its directory is shorter than the number of its members takes");
  CHECK(with(12, "\xf0\xff") == "broken zip: its directory lies behind its end");
  CHECK(with(16, "\xf0\xff") == "broken zip: its directory lies behind its end");
  CHECK(with(16, "\xff\xff\xff\xff") == "broken zip: it has no zip64 directory");
  LinesOf(Patched(zip, "PK\1\2", "XX"), &error);
  CHECK(error == "broken zip: its directory holds something else than members");
  CHECK(LinesOf(Patched(zip, "PK\3\4", "XX"))
            .front()
            .ends_with("!broken zip: no member where its directory says"));
}

TEST_CASE("zip: members that lie on one another are bounded together", "[modules]") {
  // 10 MB of zeros, named twelve times.
  std::vector<ZipMember> members;
  for (int i = 0; i < 12; ++i) {
    members.push_back({.name = "same", .content = std::string(10'000'000, '\0'), .method = 8});
  }
  std::string error;
  std::string one = ZipOf({members.front()});
  const std::size_t directory = one.find("PK\1\2");
  const std::string entry = one.substr(directory, one.find("PK\5\6") - directory);
  std::string all = one.substr(0, directory);
  for (int i = 0; i < 12; ++i) all += entry;
  std::string end = one.substr(one.find("PK\5\6"));
  end[8] = end[10] = 12;
  const std::size_t size = 12 * entry.size();
  end[12] = static_cast<char>(size & 0xff);
  end[13] = static_cast<char>(size >> 8);
  BytesInMemory file(all += end);
  struct Counting : MemberVisitor {
    Want Begin(const Member&) override { return Want::kContent; }
    bool Content(BytesView bytes) override { return (total += bytes.size()) > 0; }
    void End() override {}
    void Broken(const Error&) override { ++broken; }
    std::uint64_t total = 0;
    int broken = 0;
  } counting;
  const auto read = ReadZip(file, counting);
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == Errc::kFull);
  CHECK(counting.total < 80'000'000);
  CHECK(counting.broken == 1);
}

TEST_CASE("zip: a visitor that wants no more gets no more", "[modules]") {
  MemberLog log;
  log.no_more_after = 1;
  CHECK(ReadZip(ZipOf({{.name = "a", .content = "x"}, {.name = "b"}, {.name = "c"}}), log) == "");
  CHECK(log.lines == Lines{"a|1|x", "b|0|"});
}

TEST_CASE("zip: it is told by the signature of a member, or of the end", "[modules]") {
  CHECK(BeginsZip(ZipOf({{.name = "a"}})));
  CHECK(BeginsZip(ZipOf({})));
  CHECK_FALSE(BeginsZip("PK\1\2"));
  CHECK_FALSE(BeginsZip("PK"));
}
