#include "os/space_reserve.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "test/temp_folder.h"

namespace mig::os {
namespace {

std::uint64_t BlocksOf(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST_CASE("space reserve: the space is real blocks, and is given back", "[os]") {
  TempFolder folder;
  SpaceReserve reserve(folder / "reserve", 1 << 20);
  CHECK_FALSE(reserve.held());
  REQUIRE(reserve.Take());
  CHECK(reserve.held());
  CHECK(BlocksOf(folder / "reserve") >= (1 << 20));
  REQUIRE(reserve.Take());
  REQUIRE(reserve.Release());
  CHECK_FALSE(reserve.held());
  CHECK_FALSE(std::filesystem::exists(folder / "reserve"));
  CHECK(reserve.Release());
}

TEST_CASE("space reserve: one that was left behind is taken over", "[os]") {
  TempFolder folder;
  REQUIRE(SpaceReserve(folder / "reserve", 1 << 20).Take());
  SpaceReserve again(folder / "reserve", 1 << 20);
  CHECK(again.Take());
}

TEST_CASE("space reserve: more than the disk has is refused, and nothing stays taken", "[os]") {
  TempFolder folder;
  SpaceReserve reserve(folder / "reserve", std::uint64_t{1} << 60);
  CHECK_FALSE(reserve.Take());
  CHECK_FALSE(reserve.held());
  CHECK_FALSE(std::filesystem::exists(folder / "reserve"));
}

}  // namespace
}  // namespace mig::os
