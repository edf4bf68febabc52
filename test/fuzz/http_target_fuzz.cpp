// Targets and host:port in: nothing crashes, and what is accepted survives its own encoding.
#include <cstdint>
#include <string_view>

#include "net/host.h"
#include "net/http_message.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = mig::ParseHttpTarget(text)) {
    std::string again = target->path;
    char separator = '?';
    for (const auto& [name, value] : target->query) {
      again += separator + mig::EncodePercent(name) + "=" + mig::EncodePercent(value);
      separator = '&';
    }
    const auto same = mig::ParseHttpTarget(again);
    mig::fuzz::Require(same && same->path == target->path && same->query == target->query,
                       "a target survives being encoded again");
  }
  if (const auto decoded = mig::DecodePercent(text)) {
    mig::fuzz::Require(decoded->find('\0') == std::string::npos, "no NUL gets in");
    const auto same = mig::DecodePercent(mig::EncodePercent(*decoded));
    mig::fuzz::Require(same && *same == *decoded, "text survives its encoding");
  }
  if (const auto address = mig::ParseHostPort(text, 443)) {
    const std::string written = mig::FormatHostPort(address->host, address->port);
    const auto same = mig::ParseHostPort(written);
    mig::fuzz::Require(same && same->host == address->host && same->port == address->port,
                       "an address survives being written");
    mig::fuzz::Require(written.find_first_of(" \r\n/@") == std::string::npos,
                       "an address cannot change a Host field or a URL");
  }
  return 0;
}
