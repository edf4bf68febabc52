#include "os/idle_pages.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

using namespace mig;

namespace {

// A line of /proc/self/status in KB ("RssFile:").
long StatusKilobytes(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    long kilobytes = 0;
    if (word == field && in >> kilobytes) return kilobytes;
  }
  return -1;
}

}  // namespace

TEST_CASE("idle pages: less of the executable is resident, and it goes on working", "[os]") {
  const long before = StatusKilobytes("RssFile:");
  REQUIRE(before > 0);
  os::ReleaseIdlePages();
  const long after = StatusKilobytes("RssFile:");
  CHECK(after < before);
  os::ReleaseIdlePages();  // with most pages gone
  // Code, constants, relocated data (virtual tables) and exceptions are all still there.
  const auto out_of_range = [] { return std::string("short").at(99); };
  CHECK_THROWS_AS(out_of_range(), std::out_of_range);
}
