// The extended attribute security.capability of a file: whoever owns a file system image writes it.
#include <cstdint>

#include "modules/file/capability.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const auto decoded =
      file::DecodeFileCapabilities(BytesView(reinterpret_cast<const char*>(data), size));
  if (!decoded) return 0;
  for (const std::string& text : decoded->Texts()) {
    const std::size_t sign = text.find('=');
    fuzz::Require(text.starts_with("cap_") && sign != std::string::npos && sign + 1 < text.size(),
                  "each capability has a name and a set");
  }
  return 0;
}
