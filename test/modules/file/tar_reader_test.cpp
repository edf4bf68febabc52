#include "modules/file/tar_reader.h"

#include <catch2/catch.hpp>

#include "test/modules/file/archive_maker.h"

using namespace mig;
using namespace mig::file;

namespace {

using Lines = std::vector<std::string>;

// What is shown, whatever pieces it comes in; the error goes to `*error`.
Lines LinesOf(const std::string& tar, std::string* error = nullptr, MemberLog* out = nullptr) {
  MemberLog whole;
  const std::string why = ReadTar(tar, whole, tar.size() + 1);
  for (const std::size_t step : {1u, 7u, 511u, 512u, 513u, 1025u}) {
    INFO("step " << step);
    MemberLog log;
    CHECK(ReadTar(tar, log, step) == why);
    CHECK(log.lines == whole.lines);
  }
  if (error != nullptr) {
    *error = why;
  } else {
    CHECK(why == "");
  }
  if (out != nullptr) *out = whole;
  return whole.lines;
}

std::string Pax(const std::string& records, char type = 'x') {
  return TarFile("PaxHeaders/a", records, type);
}

// A number in base 256, as GNU tar writes what octal digits cannot.
std::string Base256(std::uint64_t number) {
  std::string field(12, '\0');
  for (std::size_t i = 12; i-- > 4; number >>= 8) field[i] = static_cast<char>(number & 0xff);
  field[0] = '\x80';
  return field;
}

}  // namespace

TEST_CASE("tar: members come with their names, status and content", "[modules]") {
  MemberLog log;
  const std::string content(700, 'c');
  CHECK(LinesOf(TarFile("a", "hello") + TarFile("empty", "") + TarFile("long", content) +
                    TarBlock({.name = "dir/", .type = '5'}) +
                    TarBlock({.name = "link", .type = '2', .target = "a"}) +
                    TarBlock({.name = "hard", .type = '1', .target = "a"}) +
                    TarBlock({.name = "b", .prefix = "deep/er"}) + EndMark(),
                nullptr, &log) == Lines{"a|5|hello", "empty|0|", "long|700|" + content, "dir/|0|",
                                        "link|0|", "hard|0|", "deep/er/b|0|"});
  const Member& first = log.members.front();
  CHECK(first.mode == 0644u);
  CHECK(first.owner == 01750u);
  CHECK(first.group == 01751u);
  CHECK(first.owner_name == "alice");
  CHECK(first.group_name == "staff");
  CHECK(first.modified->seconds == 1'700'000'000);
  CHECK(log.members[3].type == os::FileType::kDirectory);
  CHECK(log.members[4].type == os::FileType::kSymlink);
  CHECK(log.members[4].target == "a");
  CHECK(log.members[5].hard_link);
  CHECK(log.members[5].type == os::FileType::kRegular);
}

TEST_CASE("tar: long names of GNU and pax replace those of the header", "[modules]") {
  const std::string name(3000, 'n');
  CHECK(LinesOf(TarFile("././@LongLink", name + std::string(1, '\0'), 'L') + TarFile("n", "x") +
                TarFile("after", "y") + EndMark()) == Lines{name + "|1|x", "after|1|y"});
  MemberLog log;
  CHECK(LinesOf(Pax(PaxRecord("path", name) + PaxRecord("mtime", "-1.25") +
                    PaxRecord("uid", "5000000") + PaxRecord("uname", "b\xc3\xb6")) +
                    TarFile("n", "x") + TarFile("after", "y") + EndMark(),
                nullptr, &log) == Lines{name + "|1|x", "after|1|y"});
  CHECK(log.members[0].modified == os::FileTime{-2, 750'000'000});
  CHECK(log.members[0].owner == 5'000'000u);
  CHECK(log.members[0].owner_name == "b\xc3\xb6");
  CHECK(log.members[1].owner == 01750u);
  // A global header holds until it is taken back.
  CHECK(LinesOf(Pax(PaxRecord("gid", "7"), 'g') + TarFile("a", "") +
                    Pax(PaxRecord("gid", ""), 'g') + TarFile("b", "") + EndMark(),
                nullptr, &log) == Lines{"a|0|", "b|0|"});
  CHECK(log.members[0].group == 7u);
  CHECK(log.members[1].group == 01751u);
}

TEST_CASE("tar: sizes may be octal, base 256 or a pax record", "[modules]") {
  const std::string content(512, 'z');
  CHECK(LinesOf(TarBlock({.name = "a", .size_field = Base256(512)}) + content + EndMark()) ==
        Lines{"a|512|" + content});
  CHECK(LinesOf(TarBlock({.name = "a", .size_field = "       1000 "}) + content + EndMark()) ==
        Lines{"a|512|" + content});
  CHECK(LinesOf(Pax(PaxRecord("size", "512")) + TarBlock({.name = "a"}) + content + EndMark()) ==
        Lines{"a|512|" + content});
  std::string error;
  for (const char* bad : {"00000000999", "0000000000x", "-0000000001"}) {
    LinesOf(TarBlock({.name = "a", .size_field = bad}) + EndMark(), &error);
    CHECK(error == "broken tar: a size is no number");
  }
  LinesOf(TarBlock({.name = "a", .size_field = std::string(12, '\xff')}) + EndMark(), &error);
  CHECK(error == "broken tar: a size is no number");  // minus one
  LinesOf(TarBlock({.name = "a", .size_field = "\x80" + std::string(11, '\xff')}), &error);
  CHECK(error == "broken tar: a size is no number");  // more than 64 bits
  LinesOf(Pax(PaxRecord("size", "99999999999999999999")) + TarBlock({.name = "a"}), &error);
  CHECK(error == "broken tar: a size is no number");
  CHECK(LinesOf(TarBlock({.name = "a", .size_field = Base256(INT64_MAX)}) + content, &error) ==
        Lines{"a!broken tar: it ends too early"});
}

TEST_CASE("tar: the content of sparse files and of other volumes is withheld", "[modules]") {
  std::string sparse = TarBlock({.name = "s", .type = 'S', .size = 512});
  sparse.replace(483, 12, std::string("00000100000\0", 12));
  sparse[482] = 1;  // a block of the map follows, and one after that
  Seal(sparse);
  std::string map(512, '\0');
  map[504] = 1;
  CHECK(LinesOf(sparse + map + std::string(512, '\0') + std::string(512, 'd') +
                TarFile("after", "x") + EndMark()) == Lines{"s|32768|sparsemember", "after|1|x"});
  CHECK(LinesOf(Pax(PaxRecord("GNU.sparse.major", "1") + PaxRecord("GNU.sparse.name", "real") +
                    PaxRecord("GNU.sparse.realsize", "9000")) +
                TarFile("GNUSparseFile.0/real", "1\n0\n1\n") + TarFile("after", "x") + EndMark()) ==
        Lines{"real|9000|sparsemember", "after|1|x"});
  CHECK(LinesOf(TarFile("rest", "half", 'M') + TarFile("after", "x") + EndMark()) ==
        Lines{"rest|0|unsupportedmember", "after|1|x"});
  // A volume's label is no member; GNU tar's list of a folder is one, without the list.
  CHECK(LinesOf(TarBlock({.name = "label", .type = 'V'}) + TarFile("d/", "Ya\0", 'D') +
                EndMark()) == Lines{"d/|0|"});
}

TEST_CASE("tar: one that is cut off anywhere is broken, and says so", "[modules]") {
  const std::string tar = Pax(PaxRecord("path", "name")) + TarFile("n", "content") +
                          TarFile("b", "more") + std::string(1024, '\0');
  for (std::size_t size = 1; size < tar.size() - 1024 + 1; ++size) {
    MemberLog log;
    const std::string error = ReadTar(tar.substr(0, size), log, 4096);
    INFO("cut at " << size);
    CHECK(error.starts_with("broken tar: it ends"));
    for (const std::string& line : log.lines) {
      CHECK((line == "name|7|content" || line == "b|4|more" || line.find('!') != line.npos));
    }
  }
  MemberLog log;
  CHECK(ReadTar(tar.substr(0, tar.size() - 512), log, 4096) == "");  // half of the end mark
}

TEST_CASE("tar: what is wrong in a header ends the reading", "[modules]") {
  std::string error;
  std::string wrong = TarFile("b", "x");
  wrong[3] = 'z';
  CHECK(LinesOf(TarFile("a", "x") + wrong + TarFile("c", "x") + EndMark(), &error) ==
        Lines{"a|1|x"});
  CHECK(error == "broken tar: a header's checksum is wrong");
  LinesOf(TarBlock({.name = "x", .type = 'x', .size = TarReader::kLongestHeader + 1}), &error);
  CHECK(error == "broken tar: an extended header of more than 1 MiB");
  for (const char* records :
       {"99 path=a\n", "5 p=a\n", "9 path=ab ", "0 a=b\n", "x a=b\n", "-6 a=b\n", "6 a=b\n7"}) {
    INFO(records);
    LinesOf(Pax(records) + TarFile("a", "") + EndMark(), &error);
    CHECK(error == "broken tar: an extended header's record has a wrong length");
  }
  LinesOf(Pax("8 abcd\n") + TarFile("a", "") + EndMark(), &error);
  CHECK(error == "broken tar: an extended header's record has a wrong length");
  LinesOf(Pax("7 abcd\n") + TarFile("a", "") + EndMark(), &error);
  CHECK(error == "broken tar: an extended header's record has no =");
  LinesOf(Pax(PaxRecord("path", std::string("a\0b", 3))) + TarFile("a", "") + EndMark(), &error);
  CHECK(error == "broken tar: a name with a NUL in it");
}

TEST_CASE("tar: what follows the end mark is not looked at", "[modules]") {
  CHECK(LinesOf(TarFile("a", "x") + EndMark() + TarFile("hidden", "y")) == Lines{"a|1|x"});
}

TEST_CASE("tar: a visitor that wants no more gets no more", "[modules]") {
  MemberLog log;
  log.no_more_after = 1;
  CHECK(ReadTar(TarFile("a", "x") + TarFile("b", "y") + TarFile("c", "z"), log, 100) == "");
  CHECK(log.lines == Lines{"a|1|x", "b|1|"});
  MemberLog names;
  names.want = MemberVisitor::Want::kNoContent;
  CHECK(ReadTar(TarFile("a", "x") + TarFile("b", "y") + EndMark(), names, 100) == "");
  CHECK(names.lines == Lines{"a|1|", "b|1|"});
}

TEST_CASE("tar: it is told by its checksum, also without a magic number", "[modules]") {
  std::string v7 = TarBlock({.name = "old"});
  v7.replace(257, 8, std::string(8, '\0'));
  CHECK_FALSE(TarReader::Begins(v7));
  Seal(v7);
  CHECK(TarReader::Begins(v7));
  CHECK_FALSE(TarReader::Begins(std::string(512, '\0')));
  CHECK_FALSE(TarReader::Begins(std::string(512, 'x')));
  CHECK_FALSE(TarReader::Begins(v7.substr(0, 511)));
}
