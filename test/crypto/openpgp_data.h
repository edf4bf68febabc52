// The keys and signatures under test/data/openpgp/: each file says in its first line where it is
// from.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_public_key.h"

namespace mig::openpgp {

inline std::string Text(const std::string& name) {
  std::ifstream in(std::string(MIG_SOURCE_DIR "/test/data/openpgp/") + name, std::ios::binary);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The binary packets of the file's only block.
inline Bytes Binary(const std::string& name) {
  auto blocks = ReadArmor(Text(name));
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 1);
  return std::move(blocks->front().body);
}

// The primary key of a file, without looking at what vouches for it.
inline SigningMaterial PrimaryOf(const std::string& name) {
  const Bytes binary = Binary(name);
  BytesView rest = binary;
  const auto packet = TakePacket(rest);
  REQUIRE(packet);
  const auto key = ReadKey(*packet);
  REQUIRE(key);
  REQUIRE(key->material);
  return *key->material;
}

}  // namespace mig::openpgp
