// Which self-signature counts, and what takes it away: certificates put together packet by packet.
#include "crypto/openpgp_self_signatures.h"

#include <catch2/catch.hpp>

#include "crypto/openpgp_certificate.h"
#include "test/crypto/openpgp_forge.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

constexpr std::uint32_t kCreated = 1'780'000'000;
constexpr std::uint32_t kYear = 365 * 24 * 3600;
const UtcTime kNow{std::chrono::seconds(kCreated + kYear)};
constexpr std::string_view kName = "Ann <ann@example.net>";

const SecretKey& SubkeySecret() {
  static const SecretKey key = *SecretKey::FromSeed(Bytes(32, 's'));
  return key;
}

Bytes Number(std::uint32_t number) {
  Bytes out;
  AppendU32(out, number);
  return out;
}
Bytes Made(PacketType type, BytesView body) {
  Bytes out;
  AppendPacket(out, type, body);
  return out;
}
Bytes HashedKey(const SecretKey& key) {
  const Bytes body = PublicKeyBodyV4(key.public_key(), kCreated);
  Bytes out(1, '\x99');
  AppendU16(out, body.size());
  return out + body;
}
Bytes HashedUserId(BytesView name) {
  return Bytes(1, '\xB4') + Number(static_cast<std::uint32_t>(name.size())) + Bytes(name);
}

const Bytes kPrimary = Made(PacketType::kPublicKey, PublicKeyBodyV4(Key().public_key(), kCreated));
const Bytes kUserId = Made(PacketType::kUserId, kName);
const Bytes kSubkey =
    Made(PacketType::kPublicSubkey, PublicKeyBodyV4(SubkeySecret().public_key(), kCreated));

// What a signature says, beyond its time.
struct Said {
  std::uint32_t at = kCreated;
  std::uint8_t flags = 0x03;
  Bytes more;  // further hashed subpackets
  std::uint8_t hash = 8;
  Bytes unhashed;
};

Bytes Sign(const SecretKey& by, SignatureType type, const Said& said, BytesView parts) {
  Forge forge{.key = by};
  forge.type = static_cast<std::uint8_t>(type);
  forge.hash = said.hash;
  forge.hashed = Forge::Subpacket(2, Number(said.at)) +
                 Forge::Subpacket(27, Bytes(1, static_cast<char>(said.flags))) + said.more;
  forge.unhashed = said.unhashed;
  return forge.Made(parts);
}
Bytes Certify(const Said& said = {}, BytesView name = kName) {
  return Sign(Key(), SignatureType::kPositiveCertification, said,
              HashedKey(Key()) + HashedUserId(name));
}
Bytes Direct(SignatureType type, const Said& said = {}) {
  return Sign(Key(), type, said, HashedKey(Key()));
}
Bytes Bind(const Said& said = {}, SignatureType type = SignatureType::kSubkeyBinding) {
  return Sign(Key(), type, said, HashedKey(Key()) + HashedKey(SubkeySecret()));
}
// The subkey's signature in return, as a subpacket.
Bytes InReturn(const SecretKey& by = SubkeySecret(), const SecretKey& over = Key(),
               SignatureType type = SignatureType::kPrimaryKeyBinding, std::uint8_t hash = 8) {
  Said said;
  said.hash = hash;
  const Bytes packet = Sign(by, type, said, HashedKey(over) + HashedKey(SubkeySecret()));
  BytesView rest = packet;
  return Forge::Subpacket(32, TakePacket(rest)->body);
}
Bytes Lifetime(std::uint8_t type, std::uint32_t seconds) {
  return Forge::Subpacket(type, Number(seconds));
}

std::vector<CertificateKey> Keys(BytesView bytes) {
  auto all = ReadCertificates(bytes, kNow);
  if (!all) FAIL(all.error().message());
  REQUIRE(all->size() == 1);
  return std::move(all->front().keys);
}
std::string WhyNot(BytesView bytes) { return Keys(bytes).front().why_not; }
std::string SubkeyWhyNot(BytesView binding) {
  return Keys(kPrimary + kUserId + Certify() + kSubkey + Bytes(binding)).at(1).why_not;
}
bool Says(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("openpgp self-signature: a certified user id makes the primary key usable",
          "[crypto][openpgp]") {
  CHECK(WhyNot(kPrimary + kUserId + Certify()) == "");
  CHECK(WhyNot(kPrimary + Direct(SignatureType::kDirectKey)) == "");
  CHECK(Says(WhyNot(kPrimary + kUserId), "no self-signature"));
}

TEST_CASE("openpgp self-signature: what the flags do not permit is not done", "[crypto][openpgp]") {
  CHECK(Says(WhyNot(kPrimary + kUserId + Certify({.flags = 0x01})), "key flags"));
  CHECK(WhyNot(kPrimary + kUserId + Certify({.flags = 0x02})) == "");
}

TEST_CASE("openpgp self-signature: SHA-1 vouches for nothing", "[crypto][openpgp]") {
  CHECK(Says(WhyNot(kPrimary + kUserId + Certify({.hash = 2})), "SHA-1"));
}

TEST_CASE("openpgp self-signature: the newest counts, in whatever order they stand",
          "[crypto][openpgp]") {
  const Bytes expired = Certify({.at = kCreated, .more = Lifetime(9, 60)});
  const Bytes extended = Certify({.at = kCreated + 50});
  CHECK(WhyNot(kPrimary + kUserId + expired + extended) == "");
  CHECK(WhyNot(kPrimary + kUserId + extended + expired) == "");
  const Bytes shortened = Certify({.at = kCreated + 99, .more = Lifetime(9, 120)});
  CHECK(Says(WhyNot(kPrimary + kUserId + shortened + extended), "it expired on "));
}

TEST_CASE("openpgp self-signature: of the future or itself expired, it does not count",
          "[crypto][openpgp]") {
  const Bytes future = Certify({.at = kCreated + 2 * kYear});
  CHECK(Says(WhyNot(kPrimary + kUserId + future), "is this clock right?"));
  CHECK(WhyNot(kPrimary + kUserId + Certify() + future) == "");
  const Bytes over = Certify({.at = kCreated + 1, .more = Lifetime(3, 60)});
  CHECK(Says(WhyNot(kPrimary + kUserId + over), "its self-signature expired on "));
  CHECK(WhyNot(kPrimary + kUserId + over + Certify()) == "");
}

TEST_CASE("openpgp self-signature: one that depends on what nobody evaluates does not count",
          "[crypto][openpgp]") {
  CHECK(Says(WhyNot(kPrimary + kUserId + Certify({.more = Forge::Subpacket(0x80 | 20, "note")})),
             "subpacket 20"));
}

TEST_CASE("openpgp self-signature: a key expires at the end of its lifetime, to the second",
          "[crypto][openpgp]") {
  const auto keys = Keys(kPrimary + kUserId + Certify({.more = Lifetime(9, kYear)}));
  CHECK(keys[0].expires == kNow);
  CHECK_FALSE(keys[0].MaySign());
  CHECK(WhyNot(kPrimary + kUserId + Certify({.more = Lifetime(9, kYear + 1)})) == "");
  CHECK(WhyNot(kPrimary + kUserId + Certify({.more = Lifetime(9, 0)})) == "");
}

TEST_CASE("openpgp self-signature: the primary user id speaks for the key", "[crypto][openpgp]") {
  const Bytes other = Made(PacketType::kUserId, "Other");
  const Bytes expired = Lifetime(9, 60);
  const Bytes primary = Forge::Subpacket(25, "\x01");
  CHECK(Says(WhyNot(kPrimary + kUserId + Certify({.more = expired + primary}) + other +
                    Certify({.at = kCreated + 9}, "Other")),
             "it expired on "));
  const auto all = ReadCertificates(kPrimary + other + Certify({.at = kCreated + 9}, "Other") +
                                        kUserId + Certify({.more = primary}),
                                    kNow);
  CHECK(all->front().user_ids == std::vector<std::string>{std::string(kName), "Other"});
}

TEST_CASE("openpgp revocation: a revoked key stays revoked", "[crypto][openpgp]") {
  const Bytes revocation = Direct(SignatureType::kKeyRevocation);
  CHECK(Says(WhyNot(kPrimary + revocation + kUserId + Certify()), "it was revoked on "));
  // Neither a newer self-signature nor a date to come makes it usable again.
  CHECK(Says(WhyNot(kPrimary + revocation + kUserId + Certify({.at = kCreated + 99})),
             "it was revoked on "));
  CHECK(Says(WhyNot(kPrimary + Direct(SignatureType::kKeyRevocation, {.at = kCreated + 2 * kYear}) +
                    kUserId + Certify()),
             "it was revoked on "));
  // Its reason is told, and SHA-1 is enough.
  CHECK(Says(WhyNot(kPrimary +
                    Direct(SignatureType::kKeyRevocation,
                           {.more = Forge::Subpacket(29, "\x03moved"), .hash = 2}) +
                    kUserId + Certify()),
             "(no longer used)"));
  // With the primary key go its subkeys.
  CHECK(Says(
      Keys(kPrimary + revocation + kUserId + Certify() + kSubkey + Bind({.more = InReturn()}))[1]
          .why_not,
      "of its primary key: it was revoked"));
}

TEST_CASE("openpgp revocation: one by somebody else is none", "[crypto][openpgp]") {
  const Bytes forged = Sign(SubkeySecret(), SignatureType::kKeyRevocation, {}, HashedKey(Key()));
  CHECK(WhyNot(kPrimary + forged + kUserId + Certify()) == "");
  // Unless the key names a revoker, whose key is not at hand.
  const Bytes foreign = Sign(SubkeySecret(), SignatureType::kKeyRevocation,
                             {.unhashed = Forge::Subpacket(16, "somebody")}, HashedKey(Key()));
  CHECK(WhyNot(kPrimary + foreign + kUserId + Certify()) == "");
  const Bytes names_revoker = Forge::Subpacket(12, Bytes("\x80\x16") + Bytes(20, 'f'));
  CHECK(Says(WhyNot(kPrimary + foreign + kUserId + Certify({.more = names_revoker})),
             "designated revoker"));
  CHECK(Says(SubkeyWhyNot(""), "does not vouch"));
}

TEST_CASE("openpgp revocation: one that cannot be checked keeps the key from being used",
          "[crypto][openpgp]") {
  const Bytes md5 = [] {
    Bytes packet = Direct(SignatureType::kKeyRevocation);
    packet[5] = 1;  // the hash, behind header, version, type and algorithm
    return packet;
  }();
  CHECK(Says(WhyNot(kPrimary + md5 + kUserId + Certify()), "made with MD5"));
  const Bytes critical =
      Direct(SignatureType::kKeyRevocation, {.more = Forge::Subpacket(0x80 | 99, "new")});
  CHECK(Says(WhyNot(kPrimary + critical + kUserId + Certify()), "cannot be checked"));
}

TEST_CASE("openpgp revocation: of a user id, until it is certified again", "[crypto][openpgp]") {
  const auto revoked = [](std::uint32_t at) {
    return Sign(Key(), SignatureType::kCertificationRevocation, {.at = at},
                HashedKey(Key()) + HashedUserId(kName));
  };
  CHECK(Says(WhyNot(kPrimary + kUserId + Certify() + revoked(kCreated)), "user id is revoked"));
  CHECK(WhyNot(kPrimary + kUserId + Certify({.at = kCreated + 2}) + revoked(kCreated + 1)) == "");
  // Another user id, or the key itself, still speaks for it.
  const auto all = ReadCertificates(kPrimary + kUserId + Certify() + revoked(kCreated) +
                                        Made(PacketType::kUserId, "Other") + Certify({}, "Other"),
                                    kNow);
  CHECK(all->front().keys[0].MaySign());
  CHECK(all->front().user_ids == std::vector<std::string>{"Other"});
}

TEST_CASE("openpgp subkey: bound, and signing in return, it may sign", "[crypto][openpgp]") {
  CHECK(SubkeyWhyNot(Bind({.more = InReturn()})) == "");
  // GnuPG writes it where the binding does not cover it, which it need not.
  CHECK(SubkeyWhyNot(Bind({.unhashed = InReturn()})) == "");
}

TEST_CASE("openpgp subkey: without its own consent it is not adopted", "[crypto][openpgp]") {
  CHECK(Says(SubkeyWhyNot(Bind()), "did not sign in return"));
  CHECK(Says(SubkeyWhyNot(Bind({.more = InReturn(Key())})), "in return (0x19)"));
  CHECK(Says(SubkeyWhyNot(Bind({.more = InReturn(SubkeySecret(), SubkeySecret())})),
             "in return (0x19)"));
  CHECK(Says(
      SubkeyWhyNot(Bind({.more = InReturn(SubkeySecret(), Key(), SignatureType::kSubkeyBinding)})),
      "another type"));
  CHECK(Says(SubkeyWhyNot(Bind(
                 {.more = InReturn(SubkeySecret(), Key(), SignatureType::kPrimaryKeyBinding, 2)})),
             "SHA-1"));
  CHECK(Says(SubkeyWhyNot(Bind({.more = Forge::Subpacket(32, "junk")})), "in return (0x19)"));
}

TEST_CASE("openpgp subkey: only its primary key binds it", "[crypto][openpgp]") {
  const Bytes foreign = Sign(SubkeySecret(), SignatureType::kSubkeyBinding, {.more = InReturn()},
                             HashedKey(Key()) + HashedKey(SubkeySecret()));
  CHECK(Says(SubkeyWhyNot(foreign), "not by this key"));
  // Another type over the same bytes is no binding.
  CHECK(Says(SubkeyWhyNot(Bind({.more = InReturn()}, SignatureType::kDirectKey)), "not vouch"));
}

TEST_CASE("openpgp subkey: revoked or expired, it goes alone", "[crypto][openpgp]") {
  const Bytes good = Bind({.more = InReturn()});
  CHECK(Says(SubkeyWhyNot(good + Bind({}, SignatureType::kSubkeyRevocation)), "it was revoked"));
  CHECK(Says(SubkeyWhyNot(Bind({.at = kCreated + 1, .more = InReturn() + Lifetime(9, 60)})),
             "it expired on "));
  const auto keys = Keys(kPrimary + kUserId + Certify() + kSubkey + good +
                         Bind({}, SignatureType::kSubkeyRevocation));
  CHECK(keys[0].MaySign());
  CHECK_FALSE(keys[1].MaySign());
}

TEST_CASE("openpgp subkey: it ends with its primary key", "[crypto][openpgp]") {
  const auto both = [](std::uint32_t primary, std::uint32_t subkey) {
    return Keys(kPrimary + kUserId + Certify({.more = Lifetime(9, primary)}) + kSubkey +
                Bind({.more = InReturn() + Lifetime(9, subkey)}));
  };
  CHECK(both(2 * kYear, 0)[1].expires == kNow + std::chrono::seconds(kYear));
  CHECK(both(2 * kYear, 3 * kYear)[1].expires == kNow + std::chrono::seconds(kYear));
  CHECK(both(3 * kYear, 2 * kYear)[1].expires == kNow + std::chrono::seconds(kYear));
  CHECK(both(0, 2 * kYear)[1].MaySign());
  CHECK(Says(both(kYear, 2 * kYear)[1].why_not, "of its primary key: it expired on "));
}

TEST_CASE("openpgp certificate: a user id longer than any name is not hashed again and again",
          "[crypto][openpgp]") {
  const Bytes longer(5000, 'x');
  const auto all = ReadCertificates(
      kPrimary + kUserId + Certify() + Made(PacketType::kUserId, longer) + Certify({}, longer),
      kNow);
  REQUIRE(all);
  CHECK(all->front().user_ids == std::vector<std::string>{std::string(kName)});
}
