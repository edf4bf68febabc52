#include "crypto/openpgp_armor.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP SIGNATURE-----\n";
constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----\n";

std::string Armored(std::string_view between) {
  return std::string(kBegin).append(between).append(kEnd);
}
Errc CodeOf(std::string_view text) {
  const auto blocks = ReadArmor(text);
  REQUIRE_FALSE(blocks);
  return blocks.error().code();
}

}  // namespace

TEST_CASE("openpgp armour: written as others read it, and read again", "[crypto][openpgp]") {
  for (const ArmorKind kind :
       {ArmorKind::kPublicKey, ArmorKind::kPrivateKey, ArmorKind::kSignature}) {
    for (const std::size_t size : {1, 2, 3, 47, 48, 49, 1000}) {
      const Bytes body(size, '\xC2');
      const auto blocks = ReadArmor(WriteArmor(kind, body));
      REQUIRE(blocks);
      REQUIRE(blocks->size() == 1);
      CHECK(blocks->front().kind == kind);
      CHECK(blocks->front().body == body);
    }
  }
  // The checksum as GnuPG 2.2 writes it for the same bytes (gpg --enarmor).
  CHECK(WriteArmor(ArmorKind::kSignature, "hello") ==
        "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n=R/WK\n-----END PGP SIGNATURE-----\n");
}

TEST_CASE("openpgp armour: headers, blanks at line ends and CR LF do not matter",
          "[crypto][openpgp]") {
  for (const char* between :
       {"\nwsA=\n", "wsA=\n", "Version: GnuPG v2\nComment: a: b\n\nwsA=\n", "Comment:\n\nwsA=\n",
        " \t\nws \nA=\t\n", "\r\nwsA=\r\n", "\nwsA=\n=AAAA\n", "\nws\n\nA=\n\n=AAAA\n\n"}) {
    INFO(between);
    const auto blocks = ReadArmor(Armored(between));
    REQUIRE(blocks);
    CHECK(blocks->front().body == Bytes("\xC2\xC0"));
  }
}

// RFC 9580 section 6.1: an object must not be rejected for its checksum.
TEST_CASE("openpgp armour: a wrong checksum is no reason to refuse", "[crypto][openpgp]") {
  CHECK(ReadArmor(Armored("\nwsA=\n=AAAA\n")));
  CHECK(ReadArmor(Armored("\nwsA=\n")));
}

TEST_CASE("openpgp armour: text around blocks is skipped, blocks keep their order",
          "[crypto][openpgp]") {
  const auto blocks = ReadArmor("Dear all,\n" + WriteArmor(ArmorKind::kPublicKey, "one") +
                                "\nand\n" + WriteArmor(ArmorKind::kSignature, "two") + "bye");
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 2);
  CHECK((*blocks)[0].body == "one");
  CHECK((*blocks)[1].body == "two");
}

TEST_CASE("openpgp armour: broken blocks are refused", "[crypto][openpgp]") {
  CHECK(CodeOf("") == Errc::kMalformed);
  CHECK(CodeOf("nothing\nhere\n") == Errc::kMalformed);
  for (const char* between :
       {"", "\n", "\nwsA\n", "\nw!A=\n", "\nwsB=\n", "\nwsA=\nwsA=\n", "\nwsA=\n=AAAA\nwsA=\n",
        "\n=AAAA\n", "\n====\n", "Key only\n\nwsA=\n"}) {
    INFO(between);
    CHECK(CodeOf(Armored(between)) == Errc::kMalformed);
  }
  const std::string good = Armored("\nwsA=\n");
  for (std::size_t size = 0; size < good.size() - 1; ++size) {
    CHECK(CodeOf(good.substr(0, size)) == Errc::kMalformed);
  }
  CHECK(CodeOf(std::string(kBegin) + "\nwsA=\n-----END PGP PUBLIC KEY BLOCK-----\n") ==
        Errc::kMalformed);
  // One block inside another.
  CHECK(CodeOf(Armored("\nwsA=\n" + std::string(kBegin))) == Errc::kMalformed);
}

TEST_CASE("openpgp armour: other kinds of block are named", "[crypto][openpgp]") {
  for (const char* label : {"MESSAGE", "SIGNED MESSAGE", "ARMORED FILE", "\x1b[31m", ""}) {
    const auto blocks = ReadArmor("-----BEGIN PGP " + std::string(label) + "-----\n\n");
    REQUIRE_FALSE(blocks);
    CHECK(blocks.error().code() == Errc::kUnsupported);
    CHECK(blocks.error().message().find('\x1b') == std::string::npos);
  }
}

TEST_CASE("openpgp armour: what it may cost is bounded", "[crypto][openpgp]") {
  CHECK(CodeOf(std::string(kMaxArmorBytes + 1, '\n')) == Errc::kMalformed);
  std::string many;
  for (int i = 0; i < 65; ++i) many += Armored("\nwsA=\n");
  CHECK(CodeOf(many) == Errc::kMalformed);
  CHECK(ReadArmor(many.substr(0, many.size() / 65 * 64))->size() == 64);
}

TEST_CASE("openpgp armour: binary packets are told by their first bit", "[crypto][openpgp]") {
  CHECK(LooksArmored("-----BEGIN"));
  CHECK_FALSE(LooksArmored("\x98"));
  CHECK_FALSE(LooksArmored(""));
}
