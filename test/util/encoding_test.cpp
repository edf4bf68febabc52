#include "util/encoding.h"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

using namespace mig;

TEST_CASE("encoding: vectors of RFC 4648 section 10", "[util]") {
  const std::vector<std::pair<std::string, std::string>> base64 = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : base64) {
    CHECK(EncodeBase64(plain) == text);
    CHECK(*DecodeBase64(text) == plain);
  }
  const std::vector<std::pair<std::string, std::string>> base32 = {
      {"f", "my"},         {"fo", "mzxq"},        {"foo", "mzxw6"},
      {"foob", "mzxw6yq"}, {"fooba", "mzxw6ytb"}, {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, text] : base32) {
    CHECK(EncodeBase32(plain) == text);
    CHECK(*DecodeBase32(text) == plain);
  }
  CHECK(EncodeHex("foobar") == "666f6f626172");
  CHECK(*DecodeHex("666F6f626172") == "foobar");
}

TEST_CASE("encoding: there is one text for one value", "[util]") {
  CHECK_FALSE(DecodeBase64("Zg"));      // padding missing
  CHECK_FALSE(DecodeBase64("Zh=="));    // stray bits
  CHECK_FALSE(DecodeBase64("Zg==\n"));  // white space
  CHECK_FALSE(DecodeBase64("===="));
  CHECK_FALSE(DecodeBase64("Zg=a"));
  CHECK_FALSE(DecodeBase32("MY"));  // upper case
  CHECK_FALSE(DecodeBase32("mz"));  // stray bits
  CHECK_FALSE(DecodeBase32("m"));
  CHECK_FALSE(DecodeHex("abc"));
  CHECK_FALSE(DecodeHex("0g"));
  CHECK(*DecodeBase64Url(EncodeBase64Url("\xff\xfe")) == "\xff\xfe");
}
