// What the system's own files say. They are root's, but on a machine that is being investigated
// nobody knows who wrote them last, or wrote the names in them.
#include <cstdint>
#include <string>

#include "os/environment.h"
#include "os/mounts.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const os::Mount& mount : os::ParseMountInfo(text)) {
    fuzz::Require(mount.path.starts_with('/'), "a file system is mounted at an absolute path");
    fuzz::Require(mount.kind == os::KindOfFileSystem(mount.type), "its type says what it is");
  }
  fuzz::Require(os::IdentFromOsRelease(text).size() <= size, "nothing is added");
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view rest = text.substr(std::min(first.size() + 1, size));
  os::InitFlavour(first, rest);
  const std::string name = os::FullyQualifiedName(first, rest);
  fuzz::Require(
      name == (first.empty() ? "localhost" : first) || rest.find(name) != std::string_view::npos,
      "a name is the kernel's or the file's");
  if (size >= 8) os::FormatCidr(text.substr(0, 4), text.substr(4, 4));
  if (size >= 32) os::FormatCidr(text.substr(0, 16), text.substr(16, 16));
  os::FormatCidr(first, rest);
  return 0;
}
