// Files that call themselves packed, searched unpacked: whatever stands in them, by whomever, on
// every machine of a fleet.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "modules/file/reader.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  static const auto searches = file::ParseSearches(
      json::ParseObject(R"({"searches": {"s": {"paths": ["/"], "contents": ["a+b"],
          "sha1": ["da39a3ee5e6b4b0d3255bfef95601890afd80709"],
          "options": {"matchall": true, "decompress": true, "returnsha256": true}}}})")
          .value());
  fuzz::Require(searches.has_value(), "the search is one");

  os::OpenFile input;
  input.fd.Reset(::memfd_create("packed", MFD_CLOEXEC));
  fuzz::Require(input.fd.valid() &&
                    ::write(input.fd.get(), data, size) == static_cast<ssize_t>(size) &&
                    ::lseek(input.fd.get(), 0, SEEK_SET) == 0,
                "a file in memory can be written");
  input.size = size;
  const file::LiteralSet none;
  file::FileView raw(none), unpacked(none);
  for (const file::Search& search : *searches) {
    raw.Add(search);
    unpacked.Add(search);
  }
  static file::FileReader reader;
  const auto outcome = reader.Read(input, &raw, &unpacked);
  if (outcome) fuzz::Require(outcome->bytes <= size, "no more is read than there is");
  return 0;
}
