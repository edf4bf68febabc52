#include "modules/file/byte_sequence.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::file;

namespace {

bool IsIn(const char* sequence, BytesView bytes) {
  auto parsed = ByteSequence::Parse(sequence);
  REQUIRE(parsed);
  return (*parsed)->IsIn(bytes);
}

std::string RefusalOf(const std::string& text) {
  auto parsed = ByteSequence::Parse(text);
  return parsed ? "" : parsed.error().message();
}

}  // namespace

TEST_CASE("byte sequence: digits are bytes, in either case, with or without spaces", "[modules]") {
  for (const char* same : {"7f454c46", "7F 45 4c 46", " 7f45 4C46 ", "7f\t45 4c 46"}) {
    CHECK(IsIn(same,
               "\x7f"
               "ELF"));
    CHECK(IsIn(same, BytesView("..\x7f"
                               "ELF\x02",
                               7)));
    CHECK_FALSE(IsIn(same,
                     "\x7f"
                     "EL"));
    CHECK_FALSE(IsIn(same, "ELF"));
    CHECK_FALSE(IsIn(same, ""));
  }
  CHECK(IsIn("00", BytesView("a\0b", 3)));
  CHECK(IsIn("0a 0d", "x\n\ry"));  // line breaks are bytes like any other
}

TEST_CASE("byte sequence: a question mark is any digit", "[modules]") {
  CHECK(IsIn("61 ?? 63", "abc"));
  CHECK(IsIn("61 ?? 63", "a\nc"));
  CHECK(IsIn("61??63", BytesView("a\0c", 3)));
  CHECK_FALSE(IsIn("61 ?? 63", "ac"));
  CHECK(IsIn("6? 42", "oB"));
  CHECK_FALSE(IsIn("6? 42", "pB"));
  CHECK(IsIn("?1 42",
             "\xf1"
             "B"));
  CHECK(IsIn("?1 42",
             "\x01"
             "B"));
  CHECK_FALSE(IsIn("?1 42",
                   "\xf2"
                   "B"));
  CHECK(IsIn("?a", "\n"));
  CHECK(IsIn("61 ??", "xax"));
  CHECK_FALSE(IsIn("61 ??", "xa"));  // it covers two bytes
}

TEST_CASE("byte sequence: a jump goes over so many bytes, no less and no more", "[modules]") {
  CHECK(IsIn("61 [2] 62", "a12b"));
  CHECK_FALSE(IsIn("61 [2] 62", "a1b"));
  CHECK_FALSE(IsIn("61 [2] 62", "a123b"));
  for (const char* inside : {"a12b", "a1\n3b", "a1234b"}) CHECK(IsIn("61 [2-4] 62", inside));
  for (const char* outside : {"a1b", "a12345b"}) CHECK_FALSE(IsIn("61 [2-4] 62", outside));
  CHECK(IsIn("61 [0-1] 62", "ab"));
  CHECK(IsIn("61 [ 1 - 2 ] 62", "a1b"));
  CHECK(IsIn("62 [1-256] 63 64", "b" + std::string(200, 'x') + "cd"));
}

TEST_CASE("byte sequence: the first place of its literal is not the only one", "[modules]") {
  CHECK(IsIn("61 ?? 63 64", "xcd cd abcd"));
  CHECK(IsIn("31 [1-3] 61 62", "ab ab 1xab"));
  CHECK_FALSE(IsIn("31 [1-3] 61 62", "ab ab ab"));
}

TEST_CASE("byte sequence: what is not one is refused with the part that is wrong", "[modules]") {
  CHECK(RefusalOf("").find("names no byte") != std::string::npos);
  CHECK(RefusalOf("  ").find("names no byte") != std::string::npos);
  CHECK(RefusalOf("??").find("names no byte") != std::string::npos);
  CHECK(RefusalOf("7").find("a byte has two digits") != std::string::npos);
  CHECK(RefusalOf("7f 4").find("`4`: a byte has two digits") != std::string::npos);
  CHECK(RefusalOf("7f 4 5").find("` `: not a hexadecimal digit") != std::string::npos);
  CHECK(RefusalOf("7g").find("`g`: not a hexadecimal digit") != std::string::npos);
  CHECK(RefusalOf("\x1b"
                  "0")
            .find("`\\x1b`") != std::string::npos);
  CHECK(RefusalOf("[2] 61").find("begin with a byte") != std::string::npos);
  CHECK(RefusalOf("61 [2]").find("end it in a byte") != std::string::npos);
  CHECK(RefusalOf("61 [2").find("the bracket does not end") != std::string::npos);
  CHECK(RefusalOf("61 [x] 62").find("`[x]`: a jump is [N] or [N-M]") != std::string::npos);
  CHECK(RefusalOf("61 [-2] 62").find("a jump is") != std::string::npos);
  CHECK(RefusalOf("61 [4-2] 62").find("less than the first") != std::string::npos);
  CHECK(RefusalOf("61 [257] 62").find("at most 256") != std::string::npos);
  CHECK(RefusalOf("61 [99999999999999999999] 62").find("a jump is") != std::string::npos);
  std::string many;
  for (std::size_t i = 0; i < ByteSequence::kMostBytes; ++i) many += "61";
  CHECK(RefusalOf(many).empty());
  CHECK(RefusalOf(many + "61").find("more than 4096 bytes") != std::string::npos);
}

TEST_CASE("byte sequence: its longest run of certain bytes is looked for first", "[modules]") {
  CHECK((*ByteSequence::Parse("61 62 ?? 63 64 65"))->required() == "cde");
  CHECK((*ByteSequence::Parse("61 62 6? 63"))->required() == "ab");
  CHECK((*ByteSequence::Parse("6? ?4"))->required().empty());
  CHECK((*ByteSequence::Parse("61 [2-4] 62"))->longest() == 6);
}
