// Configuration files in: no YAML crashes the reader, and no value leaves the range asked for.
#include <chrono>
#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"
#include "util/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto file = mig::Settings::Parse(text, "fuzz.yaml");
  if (!file) {
    mig::fuzz::Require(!file.error().message().empty(), "a refusal says why");
    return 0;
  }
  file->String("name", "default");
  file->Bool("flag", true);
  const std::int64_t port = file->Integer("port", 1, 1, 65'535);
  file->Size("size", 64);
  file->Duration("wait", std::chrono::seconds(1));
  file->Strings("list");
  file->StringMap("tags");
  mig::Settings tls = file->Section("tls");
  tls.RequiredString("ca");
  for (mig::Settings& relay : file->Sections("relays")) relay.RequiredString("url");
  const auto done = file->Finish();
  mig::fuzz::Require(!done || (port >= 1 && port <= 65'535), "an accepted integer is in its range");
  return 0;
}
