#include "crypto/ed25519.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

Bytes Hex(std::string_view text) { return *DecodeHex(text); }

struct Vector {
  const char* seed;
  const char* key;
  const char* message;
  const char* signature;
};

// RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc).
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

}  // namespace

TEST_CASE("ed25519: RFC 8032 vectors, signed and verified", "[crypto]") {
  for (const Vector& vector : kVectors) {
    const auto secret = SecretKey::FromSeed(Hex(vector.seed));
    REQUIRE(secret);
    CHECK(EncodeHex(secret->public_key().View()) == vector.key);
    CHECK(EncodeHex(secret->Sign(Hex(vector.message))) == vector.signature);
    CHECK(secret->Seed() == Hex(vector.seed));
    const auto key = PublicKey::FromBytes(Hex(vector.key));
    CHECK(key->Verify(Hex(vector.message), Hex(vector.signature)));
  }
}

TEST_CASE("ed25519: any changed bit, and any other length, fails", "[crypto]") {
  const auto secret = SecretKey::Generate();
  const Bytes message = "the exact bytes";
  const Bytes signature = secret.Sign(message);
  const PublicKey key = secret.public_key();
  CHECK(key.Verify(message, signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Bytes bad = signature;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(key.Verify(message, bad));
  }
  CHECK_FALSE(key.Verify("the exact bytes.", signature));
  CHECK_FALSE(key.Verify(message, signature.substr(0, 63)));
  CHECK_FALSE(key.Verify(message, signature + "x"));
  CHECK_FALSE(key.Verify(message, ""));
  CHECK_FALSE(SecretKey::Generate().public_key().Verify(message, signature));
}

TEST_CASE("ed25519: S plus the group order is the same number and no signature", "[crypto]") {
  // RFC 8032 section 5.1.7: S must be in 0..L-1, else a second signature could be made from one.
  const Vector& vector = kVectors[1];
  Bytes signature = Hex(vector.signature);
  const Bytes order = Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned sum = static_cast<unsigned char>(signature[32 + i]) +
                         static_cast<unsigned char>(order[i]) + carry;
    signature[32 + i] = static_cast<char>(sum & 0xFF);
    carry = sum >> 8;
  }
  REQUIRE(carry == 0);
  CHECK_FALSE(PublicKey::FromBytes(Hex(vector.key))->Verify(Hex(vector.message), signature));
}

TEST_CASE("ed25519: keys of small order and non-canonical keys never verify", "[crypto]") {
  // Under the neutral element R = neutral, S = 0 solves the equation for every message.
  for (const char* weak : {"0100000000000000000000000000000000000000000000000000000000000000",
                           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "0000000000000000000000000000000000000000000000000000000000000000",
                           "0000000000000000000000000000000000000000000000000000000000000080",
                           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                           // y = p + 1: the neutral element, written otherwise
                           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const auto key = PublicKey::FromBytes(Hex(weak));
    REQUIRE(key);
    const Bytes neutral =
        Hex("0100000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000000000000000000000000000000000000000000000");
    CHECK_FALSE(key->Verify("anything", neutral));
    CHECK_FALSE(key->Verify("anything", Hex(weak) + Bytes(32, '\0')));
  }
}

TEST_CASE("ed25519: a key of the wrong length is malformed", "[crypto]") {
  CHECK(PublicKey::FromBytes(Bytes(31, 'x')).error().code() == Errc::kMalformed);
  CHECK(PublicKey::FromBytes(Bytes(33, 'x')).error().code() == Errc::kMalformed);
  CHECK(SecretKey::FromSeed("").error().code() == Errc::kMalformed);
}

TEST_CASE("ed25519: generated keys and random bytes do not repeat", "[crypto]") {
  CHECK(SecretKey::Generate().public_key() != SecretKey::Generate().public_key());
  CHECK(RandomBytes(16) != RandomBytes(16));
  CHECK(RandomBytes(0).empty());
}

TEST_CASE("ed25519: a moved key signs on, and wiped bytes are empty", "[crypto]") {
  auto first = SecretKey::Generate();
  const PublicKey key = first.public_key();
  SecretKey second = std::move(first);
  CHECK(key.Verify("m", second.Sign("m")));
  Bytes seed = second.Seed();
  WipeBytes(seed);
  CHECK(seed.empty());
}
