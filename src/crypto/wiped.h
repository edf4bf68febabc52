// Secret bytes that are overwritten wherever the function that holds them returns. For what lives
// longer, and for Ed25519 seeds, there is SecretKey (crypto/ed25519.h) with memory of its own.
#pragma once

#include <utility>

#include "crypto/ed25519.h"
#include "util/bytes.h"

namespace mig {

struct Wiped {
  Bytes bytes;
  explicit Wiped(std::size_t size) : bytes(size, '\0') {}
  explicit Wiped(Bytes b) {
    bytes.swap(b);
    WipeBytes(b);  // a short string was copied, and is there still
  }
  Wiped(Wiped&& other) noexcept { *this = std::move(other); }
  Wiped& operator=(Wiped&& other) noexcept {
    WipeBytes(bytes);
    bytes.swap(other.bytes);
    WipeBytes(other.bytes);
    return *this;
  }
  ~Wiped() { WipeBytes(bytes); }
};

}  // namespace mig
