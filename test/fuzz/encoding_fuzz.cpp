// Text in: every decoder of util/encoding.h and util/clock.h takes one text for one value, and what
// EscapeForTerminal lets through cannot steer a terminal.
#include <cstdint>
#include <string>
#include <string_view>

#include "test/fuzz/require.h"
#include "util/clock.h"
#include "util/encoding.h"
#include "util/size.h"
#include "util/text.h"

using mig::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto bytes = mig::DecodeBase64(text)) {
    Require(mig::EncodeBase64(*bytes) == text, "base64 has one text for one value");
  }
  if (const auto bytes = mig::DecodeBase64Url(text)) {
    Require(mig::EncodeBase64Url(*bytes) == text, "base64url has one text for one value");
  }
  if (const auto bytes = mig::DecodeBase32(text)) {
    Require(mig::EncodeBase32(*bytes) == text, "base32 has one text for one value");
  }
  if (const auto bytes = mig::DecodeHex(text)) {
    Require(mig::EncodeHex(*bytes) == mig::LowerAscii(text), "hex has one text but for its case");
  }
  if (const auto time = mig::ParseRfc3339(text)) {
    const auto again = mig::ParseRfc3339(mig::FormatRfc3339(*time));
    Require(again && *again == *time, "a time survives being written");
  }
  if (const auto duration = mig::ParseDuration(text)) {
    const auto again = mig::ParseDuration(mig::FormatDuration(*duration));
    Require(again && *again == *duration, "a duration survives being written");
  }
  if (const auto bytes = mig::ParseSize(text)) {
    Require(*bytes >> 63 == 0, "a size is below 2^63");
    Require(!mig::FormatSize(*bytes).empty(), "and can be shown");
  }

  const std::string printable = mig::EscapeForTerminal(text);
  Require(mig::IsUtf8(printable), "escaped text is UTF-8");
  for (const char c : printable) {
    Require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "escaped text has no controls");
  }
  return 0;
}
