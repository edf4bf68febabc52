// Key files and public lines in. A file under a passphrase is read as far as its lines: deriving
// the key takes what the file asks for, up to a gigabyte, which test/crypto bounds instead.
#include <cstdint>

#include "crypto/key_file.h"
#include "crypto/public_key_line.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto half = mig::PublicHalf(text);
  const auto encrypted = mig::NeedsPassphrase(text);
  Require(half.has_value() == encrypted.has_value(), "both read the same lines");
  if (encrypted && !*encrypted) {
    if (const auto file = mig::ReadKeyFile(text, "")) {
      Require(file->secret.public_key() == half->key, "the halves belong together");
      const auto written = mig::WriteKeyFile(*file, "");
      Require(written.has_value(), "what was read can be written");
      const auto again = mig::ReadKeyFile(*written, "");
      Require(again && again->name == file->name && again->created == file->created,
              "a key file survives its text");
    }
  }
  if (const auto line = mig::ReadPublicLine(text); line && !line->name.empty()) {
    const auto again = mig::ReadPublicLine(mig::WritePublicLine(*line));
    Require(again && *again == *line, "a public line survives its text");
  }
  return 0;
}
