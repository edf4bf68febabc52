// The golden files: one of each format as version 1 writes it, kept for ever. A build that cannot
// read one of them would not understand the machines and documents of today: never change a file
// here, add one for the next version. The keys are Ed25519 seeds of 32 equal bytes: root 01, Ann
// 02, Bob 03, the agent 04, the session 05, freshness 06.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "util/bytes.h"

namespace mig {

inline Bytes Golden(std::string_view name) {
  const std::string path = std::string(MIG_SOURCE_DIR "/test/golden/") + std::string(name);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("golden file " + path + " cannot be read");
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

}  // namespace mig
