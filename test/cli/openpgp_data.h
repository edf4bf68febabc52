// OpenPGP keys made with other people's programs (test/data/openpgp).
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/openpgp_certificate.h"

namespace mig {

inline std::string OpenPgpFile(const std::string& name) {
  std::ifstream in(MIG_SOURCE_DIR "/test/data/openpgp/" + name, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline openpgp::Certificate OpenPgpCertificate(const std::string& name, UtcTime now) {
  auto certificates = openpgp::ReadCertificates(OpenPgpFile(name), now);
  REQUIRE(certificates);
  REQUIRE(certificates->size() == 1);
  return std::move(certificates->front());
}

}  // namespace mig
