// What a test types where a verb reads a passphrase from a descriptor.
#pragma once

#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace mig {

// A descriptor from which `text` can be read, then its end.
inline int DescriptorWith(const std::string& text) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(ends[1]);
  return ends[0];
}

}  // namespace mig
