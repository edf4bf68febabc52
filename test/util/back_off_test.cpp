#include "util/back_off.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using std::chrono::milliseconds;

TEST_CASE("back-off: the ceiling doubles up to the longest, and starts anew", "[util]") {
  BackOff back_off(milliseconds(200), milliseconds(1000));
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(200));
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(400));
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(800));
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(1000));
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(1000));
  back_off.Reset();
  CHECK(back_off.Next(UINT32_MAX) == milliseconds(200));
}

TEST_CASE("back-off: the jitter is full, from nothing to the ceiling", "[util]") {
  BackOff back_off(milliseconds(1000), milliseconds(1000));
  CHECK(back_off.Next(0) == milliseconds(0));
  CHECK(back_off.Next(UINT32_MAX / 2) == milliseconds(499));
}

}  // namespace
}  // namespace mig
