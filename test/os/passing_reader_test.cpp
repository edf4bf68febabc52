#include "os/passing_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "test/page_cache.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::os;

namespace {

// Reads up to `most` bytes of it in passing.
std::string Pass(const std::string& path, std::size_t most = SIZE_MAX) {
  auto file = OpenRegularFile(AT_FDCWD, path.c_str(), false);
  REQUIRE(file);
  PassingReader reader(*file);
  std::string content;
  std::vector<char> buffer(100'000);
  while (content.size() < most) {
    auto count = reader.Read(buffer.data(), buffer.size());
    REQUIRE(count);
    if (*count == 0) break;
    content.append(buffer.data(), *count);
  }
  return content;
}

std::string Content(std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * i >> 7);
  return content;
}

}  // namespace

TEST_CASE("passing reader: reads what is there, of every size", "[os]") {
  const TempFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000},
                                 std::size_t{1} << 20, (std::size_t{5} << 20) + 17}) {
    const std::string content = Content(size);
    folder.Write("f", content);
    CHECK(Pass(folder / "f") == content);
    DropFromMemory(folder / "f");
    CHECK(Pass(folder / "f") == content);
  }
}

TEST_CASE("passing reader: what was not in memory is not there afterwards, what was stays",
          "[os]") {
  const TempFolder folder;
  for (const std::size_t size : {std::size_t{50'000}, std::size_t{900'000}, std::size_t{9} << 20,
                                 (std::size_t{40} << 20) + 5}) {
    CAPTURE(size);
    folder.Write("f", Content(size));
    const std::string path = folder / "f";
    CHECK(InMemory(path, size) == 100);
    Pass(path);
    CHECK(InMemory(path, size) == 100);
    DropFromMemory(path);
    if (InMemory(path, size) > 0) MIG_SKIP("this file system keeps files in memory");
    Pass(path);
    CHECK(InMemory(path, size) <= 10);
    Pass(path, size / 2);  // stopping early
    CHECK(InMemory(path, size) <= 10);
  }
}

TEST_CASE("passing reader: of a large file that is half in memory, that half stays", "[os]") {
  const TempFolder folder;
  const std::size_t size = std::size_t{32} << 20;
  folder.Write("f", Content(size));
  const std::string path = folder / "f";
  DropFromMemory(path);
  if (InMemory(path, size) > 0) MIG_SKIP("this file system keeps files in memory");
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Without this the kernel reads ahead, into the other half.
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM);
  std::vector<char> half(size / 2);
  REQUIRE(::pread(fd.get(), half.data(), half.size(), 0) == static_cast<ssize_t>(half.size()));
  const int before = InMemory(path, size);
  CAPTURE(before);
  Pass(path);
  CHECK(InMemory(path, size) >= 45);
  CHECK(InMemory(path, size) <= 60);
}
