#include "crypto/rsa_public_key.h"

#include <catch2/catch.hpp>

#include "test/crypto/openpgp_data.h"

using namespace mig;

namespace {

Bytes Der() { return openpgp::PrimaryOf("gnupg-2.2-rsa3072.asc").Rsa()->Der(); }

Errc CodeOf(BytesView der) {
  const auto key = RsaPublicKey::FromDer(der);
  REQUIRE_FALSE(key);
  return key.error().code();
}

}  // namespace

TEST_CASE("rsa key: its DER is read and written the same", "[crypto]") {
  const Bytes der = Der();
  const auto key = RsaPublicKey::FromDer(der);
  REQUIRE(key);
  CHECK(key->Der() == der);
  CHECK(key->ModulusBytes() == 384);
}

TEST_CASE("rsa key: one key has one DER", "[crypto]") {
  const Bytes der = Der();
  CHECK(CodeOf(der + '\0') == Errc::kMalformed);
  for (std::size_t size = 0; size < der.size(); ++size) {
    CHECK_FALSE(RsaPublicKey::FromDer(BytesView(der).substr(0, size)));
  }
  // A zero more before the modulus; the sequence's two length octets count it.
  Bytes longer = der;
  longer.insert(8, 1, '\0');
  longer[3] = static_cast<char>(longer[3] + 1);
  longer[7] = static_cast<char>(longer[7] + 1);
  CHECK(CodeOf(longer) == Errc::kMalformed);
  // Without the zero the modulus would be negative.
  Bytes negative = der;
  negative.erase(8, 1);
  negative[3] = static_cast<char>(negative[3] - 1);
  negative[7] = static_cast<char>(negative[7] - 1);
  CHECK(CodeOf(negative) == Errc::kMalformed);
}

TEST_CASE("rsa key: 3072 to 16384 bits, odd, exponent from 65537", "[crypto]") {
  const auto number = [](std::size_t bits, char last) {
    Bytes bytes(bits / 8, '\x80');
    bytes.back() = last;
    return bytes;
  };
  const Bytes e("\x01\x00\x01", 3);
  CHECK(RsaPublicKey::FromNumbers(number(3072, 1), e));
  CHECK(RsaPublicKey::FromNumbers(number(16384, 1), e));
  CHECK_FALSE(RsaPublicKey::FromNumbers(number(3064, 1), e));
  CHECK_FALSE(RsaPublicKey::FromNumbers(number(16392, 1), e));
  CHECK_FALSE(RsaPublicKey::FromNumbers(number(3072, 2), e));
  for (const Bytes& exponent : {Bytes("\x03"), Bytes("\x01\x00\x00", 3), Bytes("\x01\x00\x02", 3),
                                Bytes("\x01\x00\x00\x00\x01", 5), Bytes()}) {
    CHECK_FALSE(RsaPublicKey::FromNumbers(number(3072, 1), exponent));
  }
  CHECK(RsaPublicKey::FromNumbers(number(3072, 1), Bytes(4, '\xFF')));
}

TEST_CASE("rsa key: a digest of another kind or size is not verified", "[crypto]") {
  const auto key = *RsaPublicKey::FromDer(Der());
  const Bytes signature(384, 'x');
  CHECK_FALSE(key.VerifyPkcs1(DigestKind::kSha1, Bytes(20, 'd'), signature));
  CHECK_FALSE(key.VerifyPkcs1(DigestKind::kSha256, Bytes(31, 'd'), signature));
  CHECK_FALSE(key.VerifyPkcs1(DigestKind::kSha256, Bytes(32, 'd'), signature));
  CHECK_FALSE(key.VerifyPkcs1(DigestKind::kSha256, Bytes(32, 'd'), Bytes(383, 'x')));
  CHECK_FALSE(key.VerifyPkcs1(DigestKind::kSha256, Bytes(32, 'd'), ""));
}
