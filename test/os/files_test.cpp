#include "os/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "test/temp_folder.h"

namespace fs = std::filesystem;
using namespace mig;
using namespace mig::os;

namespace {

unsigned ModeOf(const fs::path& file) {
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777u;
}

std::size_t EntriesIn(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("files: what is written atomically is read back, with the mode asked for", "[os]") {
  const TempFolder dir;
  const mode_t before = ::umask(0077);
  REQUIRE(WriteFileAtomically(dir / "f", std::string("a\0b", 3), 0644));
  ::umask(before);
  CHECK(ReadFile(dir / "f").value() == std::string("a\0b", 3));
  CHECK(ModeOf(dir / "f") == 0644);
  REQUIRE(WriteFileAtomically(dir / "f", "second", 0600));
  CHECK(ReadFile(dir / "f").value() == "second");
  CHECK(ModeOf(dir / "f") == 0600);
  CHECK(EntriesIn(dir.path()) == 1);
}

TEST_CASE("files: a write that fails leaves neither a new file nor a temporary one", "[os]") {
  const TempFolder dir;
  fs::create_directories(dir / "taken/inner");
  const auto result = WriteFileAtomically(dir / "taken", "x", 0600);
  REQUIRE_FALSE(result);
  CHECK(fs::is_directory(dir / "taken"));
  CHECK(EntriesIn(dir.path()) == 1);
  CHECK(WriteFileAtomically(dir / "no/such/f", "x", 0600).error().code() == Errc::kNotFound);
}

TEST_CASE("files: a new file does not replace one that exists", "[os]") {
  const TempFolder dir;
  REQUIRE(WriteNewFile(dir / "key", "first", 0600));
  const auto again = WriteNewFile(dir / "key", "second", 0600);
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  CHECK(ReadFile(dir / "key").value() == "first");
  CHECK(EntriesIn(dir.path()) == 1);
}

TEST_CASE("files: reading says what was wrong with which file", "[os]") {
  const TempFolder dir;
  dir.Write("ten", "0123456789");
  CHECK(ReadFile(dir / "ten", 10).value().size() == 10);
  CHECK(ReadFile(dir / "ten", 9).error().code() == Errc::kFull);
  const auto missing = ReadFile(dir / "none");
  CHECK(missing.error().code() == Errc::kNotFound);
  CHECK(missing.error().message().find((dir / "none").string()) != std::string::npos);
  CHECK(ReadFile(dir.path()).error().code() == Errc::kInvalid);
}

TEST_CASE("files: reading a fifo is refused instead of waiting for a writer", "[os]") {
  const TempFolder dir;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(ReadFile(dir / "pipe").error().code() == Errc::kInvalid);
}

TEST_CASE("files: a file that claims size 0 but has content is read whole", "[os]") {
  CHECK_FALSE(ReadFile("/proc/self/status").value().empty());
}

TEST_CASE("files: a private folder is 0700, may exist, but not be writable by others", "[os]") {
  const TempFolder dir;
  REQUIRE(MakePrivateDirectory(dir / "a/b"));
  CHECK(ModeOf(dir / "a/b") == 0700);
  REQUIRE(MakePrivateDirectory(dir / "a/b"));
  ::chmod((dir / "a/b").c_str(), 0770);
  CHECK(MakePrivateDirectory(dir / "a/b").error().code() == Errc::kInvalid);
  dir.Write("file", "");
  CHECK(MakePrivateDirectory(dir / "file").error().code() == Errc::kInvalid);
  if (::geteuid() == 0) {
    fs::create_directory(dir / "other");
    REQUIRE(::chown((dir / "other").c_str(), 12345, 12345) == 0);
    CHECK(MakePrivateDirectory(dir / "other").error().message().find("12345") != std::string::npos);
  }
}
