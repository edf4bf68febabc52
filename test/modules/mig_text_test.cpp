#include "modules/mig_text.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace std::chrono_literals;

TEST_CASE("mig text: durations are Go's", "[modules]") {
  CHECK(DurationText(0ns) == "0ns");
  CHECK(DurationText(999ns) == "999ns");
  CHECK(DurationText(45'726ns) == "45.726\xC2\xB5s");
  CHECK(DurationText(2'017'849ns) == "2.017849ms");
  CHECK(DurationText(1s) == "1s");
  CHECK(DurationText(63'500ms) == "1m3.5s");
  CHECK(DurationText(3h + 2ms) == "3h0m0.002s");
}

TEST_CASE("mig text: times are Go's, whatever a file system stores", "[modules]") {
  CHECK(TimeText(1'423'273'867, 178'506'010) == "2015-02-07 01:51:07.17850601 +0000 UTC");
  CHECK(TimeText(0, 0) == "1970-01-01 00:00:00 +0000 UTC");
  CHECK(TimeText(-1, 500'000'000) == "1969-12-31 23:59:59.5 +0000 UTC");
  CHECK(TimeText(253'402'300'799, 0) == "9999-12-31 23:59:59 +0000 UTC");
  CHECK(TimeText(253'402'300'800, 0) == "@253402300800");
  CHECK(TimeText(-62'135'596'800, 0) == "0001-01-01 00:00:00 +0000 UTC");
  CHECK(TimeText(std::numeric_limits<std::int64_t>::min(), 7) == "@-9223372036854775808");
}

TEST_CASE("mig text: modes are Go's", "[modules]") {
  const auto mode = [](os::FileType type, std::uint32_t bits) {
    os::FileStatus status;
    status.type = type;
    status.mode = bits;
    return ModeText(status);
  };
  CHECK(mode(os::FileType::kRegular, 0640) == "-rw-r-----");
  CHECK(mode(os::FileType::kRegular, 04755) == "urwxr-xr-x");
  CHECK(mode(os::FileType::kRegular, 06711) == "ugrwx--x--x");
  CHECK(mode(os::FileType::kDirectory, 01777) == "dtrwxrwxrwx");
  CHECK(mode(os::FileType::kCharDevice, 0600) == "Dcrw-------");
}
