#include "crypto/openpgp_signature.h"

#include <catch2/catch.hpp>
#include <utility>

#include "crypto/openpgp_signature_packet.h"
#include "test/crypto/openpgp_data.h"
#include "test/crypto/openpgp_forge.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

constexpr std::string_view kMessage = "DSSEv1 4 text 5 hello";  // what the stored signatures cover

Expected<void> Check(BytesView signature, BytesView message = kMessage) {
  return VerifyDetached(signature, message, "ed25519", Key().public_key().View());
}
Errc CodeOf(const Forge& forge) {
  const auto result = Check(forge.Made(kMessage));
  REQUIRE_FALSE(result);
  return result.error().code();
}

Expected<void> CheckStored(const std::string& key, const std::string& signature,
                           BytesView message = kMessage) {
  const SigningMaterial material = PrimaryOf(key);
  return VerifyDetached(Binary(signature), message, material.Type(), material.Material());
}

}  // namespace

TEST_CASE("openpgp signature: the example of RFC 9580 A.2 verifies, and over nothing else",
          "[crypto][openpgp]") {
  const char* const key = "rfc9580-a1-v4-public.asc";
  const char* const signature = "rfc9580-a2-v4-signature.asc";
  CHECK(CheckStored(key, signature, "OpenPGP"));
  const auto other = CheckStored(key, signature, "OpenPGP\n");
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == Errc::kDenied);
  CHECK_FALSE(CheckStored("gnupg-2.2-ed25519.asc", signature, "OpenPGP"));
}

TEST_CASE("openpgp signature: the text signature of RFC 9580 A.6 is refused for its type",
          "[crypto][openpgp]") {
  const auto result = CheckStored(
      "rfc9580-a3-v6-public.asc", "rfc9580-a6-v6-text-signature.asc",
      "What we need from the grocery store:\r\n\r\n- tofu\r\n- vegetables\r\n- noodles\r\n");
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == Errc::kUnsupported);
}

// RFC 9580 has no version 6 signature of type 0x00; its own one, of a text, holds the salt and the
// longer lengths just as well.
TEST_CASE("openpgp signature: the salted digest of RFC 9580 A.6 is what its key signed",
          "[crypto][openpgp]") {
  const Bytes binary = Binary("rfc9580-a6-v6-text-signature.asc");
  BytesView rest = binary;
  const auto packet = TakePacket(rest);
  REQUIRE(packet);
  const auto signature = ReadSignature(packet->body);
  REQUIRE(signature);
  constexpr std::string_view kText =
      "What we need from the grocery store:\r\n\r\n- tofu\r\n- vegetables\r\n- noodles\r\n";
  const auto digest = DigestFor(*signature, {kText}, Sha1::kRefused);
  REQUIRE(digest);
  CHECK(EncodeHex(digest->bytes) ==
        "69365bf44a97af1f0844f1f6ab83fdf6b36f26692efaa621a8aac91c4e29ea07"
        "e894cabc6e2f20eedfce6c03b89141a2cc7cbe245e6e7a5654addbec5000b89b");
  CHECK(VerifyBy(PrimaryOf("rfc9580-a3-v6-public.asc"), *signature, {kText}, Sha1::kRefused));
}

TEST_CASE("openpgp signature: GnuPG's verify with SHA-256, SHA-384 and SHA-512, not with SHA-1",
          "[crypto][openpgp]") {
  for (const std::string key : {"gnupg-2.2-ed25519", "gnupg-2.2-rsa3072"}) {
    for (const char* hash : {"sha256", "sha384", "sha512"}) {
      const std::string signature = key + "-" + hash + "-signature.asc";
      INFO(signature);
      CHECK(CheckStored(key + ".asc", signature));
      const auto other = CheckStored(key + ".asc", signature, "DSSEv1 4 text 5 hallo");
      REQUIRE_FALSE(other);
      CHECK(other.error().code() == Errc::kDenied);
    }
    const auto sha1 = CheckStored(key + ".asc", key + "-sha1-signature.asc");
    REQUIRE_FALSE(sha1);
    CHECK(sha1.error().code() == Errc::kUnsupported);
    CHECK(sha1.error().message().find("made with SHA-1;") != std::string::npos);
  }
}

TEST_CASE("openpgp signature: one key's type never verifies another's algorithm",
          "[crypto][openpgp]") {
  const auto a = CheckStored("gnupg-2.2-ed25519.asc", "gnupg-2.2-rsa3072-sha256-signature.asc");
  REQUIRE_FALSE(a);
  CHECK(a.error().code() == Errc::kUnsupported);
  const auto b = CheckStored("gnupg-2.2-rsa3072.asc", "gnupg-2.2-ed25519-sha256-signature.asc");
  REQUIRE_FALSE(b);
  CHECK(b.error().code() == Errc::kUnsupported);
  const auto c = VerifyDetached(Forge().Made(kMessage), kMessage, "sk-ed25519", "");
  REQUIRE_FALSE(c);
  CHECK(c.error().code() == Errc::kUnsupported);
}

TEST_CASE("openpgp signature: EdDSA of version 4 and Ed25519 of versions 4 and 6 verify",
          "[crypto][openpgp]") {
  Forge forge;
  CHECK(Check(forge.Made(kMessage)));
  forge.hash = 10;
  CHECK(Check(forge.Made(kMessage)));
  forge.algorithm = 27;
  CHECK(Check(forge.Made(kMessage)));
  forge.version = 6;
  forge.salt = Bytes(32, 's');
  CHECK(Check(forge.Made(kMessage)));
  // RFC 9580 section 5.2.3.3: not in version 6.
  forge.algorithm = 22;
  CHECK(CodeOf(forge) == Errc::kUnsupported);
}

TEST_CASE("openpgp signature: a version 6 salt has the size of its digest", "[crypto][openpgp]") {
  Forge forge;
  forge.version = 6;
  forge.algorithm = 27;
  CHECK(Check(forge.Made(kMessage)));
  for (const std::size_t size : {0, 15, 17, 32}) {
    forge.salt = Bytes(size, 's');
    CHECK(CodeOf(forge) == Errc::kMalformed);
  }
}

TEST_CASE("openpgp signature: every type but the binary document is refused", "[crypto][openpgp]") {
  for (const unsigned type :
       {0x01u, 0x02u, 0x10u, 0x13u, 0x18u, 0x19u, 0x1Fu, 0x20u, 0x40u, 0x50u, 0xFFu}) {
    Forge forge;
    forge.type = static_cast<std::uint8_t>(type);
    CHECK(CodeOf(forge) == Errc::kUnsupported);
  }
}

TEST_CASE("openpgp signature: a signature that expires by itself is refused", "[crypto][openpgp]") {
  Forge forge;
  forge.hashed += Forge::Subpacket(3, Bytes("\x00\x00\x00\x01", 4));
  CHECK(CodeOf(forge) == Errc::kUnsupported);
  Forge never;
  never.hashed += Forge::Subpacket(3, Bytes(4, '\0'));
  CHECK(Check(never.Made(kMessage)));
}

TEST_CASE("openpgp signature: the time it was made must stand in what it covers, once",
          "[crypto][openpgp]") {
  Forge forge;
  forge.unhashed = std::exchange(forge.hashed, {});
  CHECK(CodeOf(forge) == Errc::kMalformed);
  forge.hashed = forge.unhashed + forge.unhashed;
  CHECK(CodeOf(forge) == Errc::kMalformed);
  forge.hashed = Forge::Subpacket(2, "abc");
  CHECK(CodeOf(forge) == Errc::kMalformed);
}

TEST_CASE("openpgp signature: a critical subpacket that nobody evaluates refuses it",
          "[crypto][openpgp]") {
  for (const unsigned number : {1u, 5u, 6u, 20u, 31u, 35u, 99u, 100u, 127u}) {
    const auto plain = static_cast<std::uint8_t>(number);
    const auto critical = static_cast<std::uint8_t>(number | 0x80u);
    for (Bytes Forge::*area : {&Forge::hashed, &Forge::unhashed}) {
      Forge forge;
      forge.*area += Forge::Subpacket(plain, "data");
      CHECK(Check(forge.Made(kMessage)));
      forge.*area += Forge::Subpacket(critical, "data");
      CHECK(CodeOf(forge) == Errc::kUnsupported);
    }
  }
  Forge critical_time;
  critical_time.hashed = Forge::Subpacket(0x82, Bytes(4, 'x'));
  CHECK(Check(critical_time.Made(kMessage)));
}

TEST_CASE("openpgp signature: nothing may follow it, not even itself", "[crypto][openpgp]") {
  Forge forge;
  const Bytes one = forge.Made(kMessage);
  for (const Bytes& behind : {Bytes(1, '\0'), Bytes("\n"), one}) {
    forge.behind = behind;
    CHECK(CodeOf(forge) == Errc::kMalformed);
  }
}

TEST_CASE("openpgp signature: cut or changed anywhere, it does not verify", "[crypto][openpgp]") {
  Forge forge;
  forge.unhashed = Forge::Subpacket(16, "12345678");
  const Bytes packet = forge.Made(kMessage);
  REQUIRE(Check(packet));
  for (std::size_t size = 0; size < packet.size(); ++size)
    CHECK_FALSE(Check(packet.substr(0, size)));
  const std::size_t id = packet.find("12345678");  // the one hint: nothing vouches for it
  for (std::size_t at = 0; at < packet.size(); ++at) {
    if (at >= id && at < id + 8) continue;
    for (int bit = 0; bit < 8; ++bit) {
      Bytes changed = packet;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      INFO(at << " bit " << bit);
      // The type of the unhashed subpacket may become that of another hint.
      if (at != id - 1) CHECK_FALSE(Check(changed));
    }
  }
}

TEST_CASE("openpgp signature: numbers with leading zeros are short, and padded again",
          "[crypto][openpgp]") {
  // About one signature in 128 has R or S below 2^248: its packet is a byte shorter.
  Forge forge;
  std::size_t short_ones = 0;
  for (std::uint32_t time = 0; short_ones < 3; ++time) {
    REQUIRE(time < 20'000);
    Bytes octets;
    AppendU32(octets, time);
    forge.hashed = Forge::Subpacket(2, octets);
    const Bytes packet = forge.Made(kMessage);
    constexpr std::size_t kFull = 2 + 4 + 2 + 6 + 2 + 2 + 2 * (2 + 32);
    REQUIRE(packet.size() <= kFull);
    if (packet.size() == kFull) continue;
    ++short_ones;
    CHECK(Check(packet));
  }
  // A longer form of the same number is another signature, and refused (section 3.2).
  const Bytes good = Forge().Made(kMessage);
  BytesView rest = good;
  const auto body = TakePacket(rest)->body;
  const auto fields = ReadSignature(body);
  Octets values(fields->values);
  const Bytes r(values.Mpi());
  const Bytes s(values.Mpi());
  Bytes longer(body.substr(0, body.size() - fields->values.size()));
  AppendMpi(longer, r);
  AppendU16(longer, (s.size() + 1) * 8);
  longer += '\0';
  longer += s;
  Bytes packet;
  AppendPacket(packet, PacketType::kSignature, longer);
  const auto result = Check(packet);
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == Errc::kMalformed);
}

TEST_CASE("openpgp signature: told from raw bytes and sshsig by its first byte",
          "[crypto][openpgp]") {
  CHECK(LooksLikeSignature(Forge().Made(kMessage)));
  CHECK(LooksLikeSignature(Binary("gnupg-2.2-ed25519-sha256-signature.asc")));  // old header
  CHECK_FALSE(LooksLikeSignature("SSHSIG"));
  CHECK_FALSE(LooksLikeSignature("-----BEGIN PGP SIGNATURE-----"));
  CHECK_FALSE(LooksLikeSignature(Binary("gnupg-2.2-ed25519.asc")));
  CHECK_FALSE(LooksLikeSignature(""));
}

TEST_CASE("openpgp signature: RSA below 3072 bits is no key at all", "[crypto][openpgp]") {
  const Bytes binary = Binary("gnupg-2.2-rsa2048.asc");
  BytesView rest = binary;
  const auto key = ReadKey(*TakePacket(rest));
  REQUIRE(key);
  CHECK_FALSE(key->material);
  CHECK(key->why_not == "RSA key: it has 2048 bits; 3072 to 16384 are accepted");
}
