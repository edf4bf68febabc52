#include "crypto/sodium_start.h"

#include <sodium.h>

#include <cstdlib>

#include "util/log.h"

namespace mig {

void StartSodium() {
  static const bool started = [] {
    if (sodium_init() < 0) {
      log::Error("libsodium cannot start: is there a source of random bytes (/dev/urandom)?");
      std::abort();
    }
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace mig
