#include "crypto/digest.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

std::string HexOf(DigestKind kind, BytesView bytes) {
  Digest digest(kind);
  digest.Update(bytes);
  return EncodeHex(digest.Finish());
}

}  // namespace

TEST_CASE("digest: each has a name, and is found by it", "[crypto]") {
  for (int i = 0; i <= static_cast<int>(DigestKind::kSha3_512); ++i) {
    const auto kind = static_cast<DigestKind>(i);
    CHECK(DigestByName(DigestName(kind)) == kind);
  }
  CHECK(DigestName(DigestKind::kSha3_256) == "sha3-256");
  CHECK_FALSE(DigestByName("sha2"));
  CHECK_FALSE(DigestByName("SHA256"));
}

// RFC 1321 section A.5; FIPS 180-4 and FIPS 202 examples (NIST, "Cryptographic Standards and
// Guidelines: example values"), message "abc".
TEST_CASE("digest: \"abc\" has the published digest in every algorithm", "[crypto]") {
  CHECK(HexOf(DigestKind::kMd5, "abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(HexOf(DigestKind::kSha1, "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(HexOf(DigestKind::kSha256, "abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(HexOf(DigestKind::kSha384, "abc") ==
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        "8086072ba1e7cc2358baeca134c825a7");
  CHECK(HexOf(DigestKind::kSha512, "abc") ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  CHECK(HexOf(DigestKind::kSha3_224, "abc") ==
        "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
  CHECK(HexOf(DigestKind::kSha3_256, "abc") ==
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  CHECK(HexOf(DigestKind::kSha3_384, "abc") ==
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
        "98d88cea927ac7f539f1edf228376d25");
  CHECK(HexOf(DigestKind::kSha3_512, "abc") ==
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
        "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
}

TEST_CASE("digest: the empty message and NIST's two-block message", "[crypto]") {
  CHECK(HexOf(DigestKind::kSha256, "") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(EncodeHex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("digest: the size of every digest is what DigestBytes says", "[crypto]") {
  for (int i = 0; i <= static_cast<int>(DigestKind::kSha3_512); ++i) {
    const auto kind = static_cast<DigestKind>(i);
    CHECK(Digest(kind).Finish().size() == DigestBytes(kind));
  }
}

TEST_CASE("digest: pieces give the digest of the whole, and Finish starts anew", "[crypto]") {
  Digest digest(DigestKind::kSha256);
  for (int round = 0; round < 2; ++round) {
    digest.Update("a");
    digest.Update("");
    digest.Update("bc");
    CHECK(digest.Finish() == Sha256("abc"));
  }
  Digest moved = std::move(digest);
  CHECK(moved.Finish() == Sha256(""));
}
