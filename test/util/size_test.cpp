#include "util/size.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("size: units are powers of 1024 in either case", "[util]") {
  CHECK(*ParseSize("0") == 0);
  CHECK(*ParseSize("4096") == 4096);
  CHECK(*ParseSize("64k") == 65536);
  CHECK(*ParseSize("8M") == 8u << 20);
  CHECK(*ParseSize("1g") == 1u << 30);
}

TEST_CASE("size: what is not a size, or overflows, is refused", "[util]") {
  for (const char* text : {"", "k", "-1", "1.5m", "1kb", "1 k", "9999999999999999", "8388608t"}) {
    INFO(text);
    CHECK_FALSE(ParseSize(text));
  }
}

TEST_CASE("size: people get three digits", "[util]") {
  CHECK(FormatSize(0) == "0 B");
  CHECK(FormatSize(999) == "999 B");
  CHECK(FormatSize(1000) == "1.0 KiB");
  CHECK(FormatSize(1536) == "1.5 KiB");
  CHECK(FormatSize(10u << 20) == "10 MiB");
  CHECK(FormatSize(~0ull) == "16 EiB");
}
