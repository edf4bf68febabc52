// The capabilities that a file gives to whoever runs it: the bytes of `security.capability`
// (capabilities(7), linux/capability.h), versions 1 to 3. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

struct FileCapabilities {
  std::uint64_t permitted = 0;        // a bit for each capability
  std::uint64_t inheritable = 0;      // the same
  bool effective = false;             // what is permitted is in force from the start
  std::optional<std::uint32_t> root;  // version 3: the user who is root in the namespace meant

  // "cap_net_raw=ep": one text for each capability, by number; the letters as getcap(8) has them.
  std::vector<std::string> Texts() const;
};

// Error: kMalformed.
Expected<FileCapabilities> DecodeFileCapabilities(BytesView bytes);

}  // namespace mig::file
