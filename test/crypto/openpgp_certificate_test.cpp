#include "crypto/openpgp_certificate.h"

#include <catch2/catch.hpp>

#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_export.h"
#include "crypto/openpgp_signature.h"
#include "test/crypto/openpgp_data.h"
#include "test/skip.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

const UtcTime kNow = *ParseRfc3339("2026-12-01T00:00:00Z");
constexpr std::string_view kPassphrase = "correct horse battery staple";

KeyFile Sample(char seed = 'k') {
  return {"Ann Example <ann@example.net>", *ParseRfc3339("2026-11-23T09:30:00.250Z"),
          *SecretKey::FromSeed(Bytes(32, seed))};
}

Certificate Only(BytesView bytes, UtcTime now = kNow) {
  auto all = ReadCertificates(bytes, now);
  if (!all) FAIL(all.error().message());
  REQUIRE(all->size() == 1);
  return std::move(all->front());
}

Errc CodeOf(BytesView bytes) {
  const auto all = ReadCertificates(bytes, kNow);
  REQUIRE_FALSE(all);
  return all.error().code();
}

Bytes BinaryOf(const std::string& armored) { return (*ReadArmor(armored))[0].body; }

// Takes a binary certificate apart, to put something else together.
std::vector<Bytes> PacketsOf(BytesView rest) {
  std::vector<Bytes> packets;
  while (!rest.empty()) {
    const BytesView before = rest;
    REQUIRE(TakePacket(rest));
    packets.emplace_back(before.substr(0, before.size() - rest.size()));
  }
  return packets;
}

}  // namespace

TEST_CASE("openpgp certificate: version 6, of RFC 9580 A.3", "[crypto][openpgp]") {
  const Certificate certificate = Only(Text("rfc9580-a3-v6-public.asc"));
  CHECK(certificate.user_ids.empty());
  REQUIRE(certificate.keys.size() == 2);
  const CertificateKey& primary = certificate.keys[0];
  CHECK(primary.fingerprint == "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9");
  CHECK(primary.why_not == "");
  CHECK(primary.material->Type() == "ed25519");
  CHECK(FormatRfc3339(primary.created) == "2022-11-30T16:08:03Z");
  CHECK_FALSE(primary.secret);
  const CertificateKey& subkey = certificate.keys[1];
  CHECK(subkey.fingerprint == "12C83F1E706F6308FE151A417743A1F033790E93E9978488D1DB378DA9930885");
  CHECK_FALSE(subkey.MaySign());
  CHECK(subkey.why_not.find("encryption") != std::string::npos);
}

TEST_CASE("openpgp secret key: in clear, of RFC 9580 A.4", "[crypto][openpgp]") {
  const Certificate certificate = Only(Text("rfc9580-a4-v6-secret.asc"));
  const CertificateKey& key = certificate.keys[0];
  REQUIRE(key.secret);
  CHECK_FALSE(key.secret->NeedsPassphrase());
  const auto secret = key.secret->Open("");
  REQUIRE(secret);
  CHECK(EncodeHex(secret->Seed()) ==
        "1972817b12be707e8d5f586ce61361201d344eb266a2c82fde6835762b65b0b7");
  CHECK(secret->public_key() == *key.material->Ed25519());
  // X25519 is not for signing.
  CHECK(certificate.keys[1].secret->Open("").error().code() == Errc::kUnsupported);
}

TEST_CASE("openpgp secret key: under Argon2 and OCB, of RFC 9580 A.5", "[crypto][openpgp]") {
  const Certificate certificate = Only(Text("rfc9580-a5-v6-secret-locked.asc"));
  const CertificateKey& key = certificate.keys[0];
  REQUIRE(key.secret);
  CHECK(key.secret->NeedsPassphrase());
  const auto secret = key.secret->Open(kPassphrase);
  if (!secret && secret.error().code() == Errc::kFull) {
    MIG_SKIP("the file demands 2 GiB of memory, which this machine does not give");
  }
  if (!secret) FAIL(secret.error().message());
  CHECK(EncodeHex(secret->Seed()) ==
        "1972817b12be707e8d5f586ce61361201d344eb266a2c82fde6835762b65b0b7");
  const auto wrong = key.secret->Open("correct horse");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == Errc::kDenied);
}

TEST_CASE("openpgp secret key: under a password, of Sequoia", "[crypto][openpgp]") {
  const Certificate certificate = Only(Text("sequoia-0.27-locked.asc"));
  CHECK(certificate.user_ids == std::vector<std::string>{"Carol <carol@example.net>"});
  std::size_t opened = 0;
  for (const CertificateKey& key : certificate.keys) {
    if (!key.MaySign()) continue;
    CHECK(key.secret->NeedsPassphrase());
    CHECK(OpenSecret(certificate, key, "pas").error().code() == Errc::kDenied);
    const auto file = OpenSecret(certificate, key, "pass");
    if (!file) FAIL(file.error().message());
    CHECK(*FingerprintV4(*file) == key.fingerprint);
    ++opened;
  }
  CHECK(opened == 1);
}

TEST_CASE("openpgp certificate: a bare key, of RFC 9580 A.1, is vouched for by nothing",
          "[crypto][openpgp]") {
  const Certificate certificate = Only(Text("rfc9580-a1-v4-public.asc"));
  REQUIRE(certificate.keys.size() == 1);
  CHECK(certificate.keys[0].fingerprint == "C959BDBAFA32A2F89A153B678CFDE12197965A9A");
  CHECK(certificate.keys[0].why_not == "nothing on it vouches for it: no self-signature");
}

TEST_CASE("openpgp certificate: GnuPG's Ed25519 and RSA keys", "[crypto][openpgp]") {
  const Certificate ed25519 = Only(Text("gnupg-2.2-ed25519.asc"));
  CHECK(ed25519.user_ids == std::vector<std::string>{"ed25519 <ed25519@example.net>"});
  CHECK(ed25519.keys[0].why_not == "");
  const Certificate rsa3072 = Only(Text("gnupg-2.2-rsa3072.asc"));
  CHECK(rsa3072.keys[0].why_not == "");
  CHECK(rsa3072.keys[0].material->Type() == "rsa");
  const Certificate rsa2048 = Only(Text("gnupg-2.2-rsa2048.asc"));
  CHECK(rsa2048.keys[0].why_not == "RSA key: it has 2048 bits; 3072 to 16384 are accepted");
  CHECK_FALSE(rsa2048.keys[0].material);
}

TEST_CASE("openpgp certificate: several in a file, armoured one after the other or binary",
          "[crypto][openpgp]") {
  const auto armored =
      ReadCertificates(Text("gnupg-2.2-ed25519.asc") + Text("gnupg-2.2-rsa3072.asc"), kNow);
  REQUIRE(armored);
  CHECK(armored->size() == 2);
  const auto binary =
      ReadCertificates(Binary("gnupg-2.2-ed25519.asc") + Binary("gnupg-2.2-rsa3072.asc"), kNow);
  REQUIRE(binary);
  CHECK(binary->size() == 2);
}

TEST_CASE("openpgp export: what we export, we import, with the same fingerprint",
          "[crypto][openpgp]") {
  const KeyFile file = Sample();
  const Certificate open = Only(*ExportPublic(file));
  CHECK(open.user_ids == std::vector<std::string>{file.name});
  REQUIRE(open.keys.size() == 1);
  CHECK(open.keys[0].why_not == "");
  CHECK(open.keys[0].fingerprint == *FingerprintV4(file));
  CHECK(*open.keys[0].material->Ed25519() == file.secret.public_key());
  CHECK_FALSE(open.keys[0].expires);
  for (const std::string_view passphrase : {std::string_view(), kPassphrase}) {
    const auto text = ExportSecret(file, passphrase);
    REQUIRE(text);
    const Certificate certificate = Only(text->bytes);
    CHECK(certificate.keys[0].secret->NeedsPassphrase() == !passphrase.empty());
    const auto back = OpenSecret(certificate, certificate.keys[0], passphrase);
    if (!back) FAIL(back.error().message());
    CHECK(back->name == file.name);
    CHECK(back->secret.Seed() == file.secret.Seed());
    CHECK(FormatRfc3339(back->created) == "2026-11-23T09:30:00Z");
    CHECK(*FingerprintV4(*back) == *FingerprintV4(file));
    if (passphrase.empty()) continue;
    for (const char* wrong : {"", "correct horse battery stable"}) {
      const auto denied = OpenSecret(certificate, certificate.keys[0], wrong);
      REQUIRE_FALSE(denied);
      CHECK(denied.error().code() == Errc::kDenied);
    }
  }
}

TEST_CASE("openpgp export: the same key file gives the same certificate", "[crypto][openpgp]") {
  CHECK(*ExportPublic(Sample()) == *ExportPublic(Sample()));
  CHECK(*ExportPublic(Sample()) != *ExportPublic(Sample('l')));
  KeyFile later = Sample();
  later.created += std::chrono::seconds(1);
  CHECK(*FingerprintV4(later) != *FingerprintV4(Sample()));
}

TEST_CASE("openpgp export: a time that version 4 cannot say is refused", "[crypto][openpgp]") {
  KeyFile file = Sample();
  for (const char* time : {"2106-02-07T06:28:16Z", "9999-01-01T00:00:00Z"}) {
    file.created = *ParseRfc3339(time);
    CHECK(ExportPublic(file).error().code() == Errc::kInvalid);
    CHECK(ExportSecret(file, "").error().code() == Errc::kInvalid);
    CHECK(SignDetached(Sample(), "x", file.created).error().code() == Errc::kInvalid);
  }
}

TEST_CASE("openpgp export: our signatures verify, and only over what was signed",
          "[crypto][openpgp]") {
  const KeyFile file = Sample();
  const Bytes signature = *SignDetached(file, "message", kNow);
  const BytesView key = file.secret.public_key().View();
  CHECK(VerifyDetached(signature, "message", "ed25519", key));
  CHECK_FALSE(VerifyDetached(signature, "massage", "ed25519", key));
  CHECK_FALSE(
      VerifyDetached(signature, "message", "ed25519", Sample('l').secret.public_key().View()));
}

TEST_CASE("openpgp certificate: nothing on it can be changed", "[crypto][openpgp]") {
  const KeyFile file = Sample();
  const Bytes binary = BinaryOf(*ExportPublic(file));
  for (std::size_t at = 0; at < binary.size(); ++at) {
    Bytes changed = binary;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto all = ReadCertificates(changed, kNow);
    if (!all || all->front().keys.front().why_not != "") continue;
    // Only the hints that nobody believes (the unhashed area) may differ.
    INFO(at);
    CHECK(*all->front().keys.front().material->Ed25519() == file.secret.public_key());
    CHECK(all->front().user_ids == std::vector<std::string>{file.name});
    CHECK(all->front().keys.front().fingerprint == *FingerprintV4(file));
  }
  for (std::size_t size = 0; size < binary.size(); ++size) {
    const auto all = ReadCertificates(BytesView(binary).substr(0, size), kNow);
    if (all) CHECK_FALSE(all->front().keys.front().MaySign());
  }
}

TEST_CASE("openpgp certificate: another key's user id and signature do not move over",
          "[crypto][openpgp]") {
  const auto ours = PacketsOf(BinaryOf(*ExportPublic(Sample('k'))));
  KeyFile file = Sample('l');
  file.name = "Eve <eve@example.net>";
  const auto theirs = PacketsOf(BinaryOf(*ExportPublic(file)));
  REQUIRE(ours.size() == 3);
  const Certificate stolen = Only(theirs[0] + ours[1] + ours[2]);
  CHECK_FALSE(stolen.keys[0].MaySign());
  CHECK(stolen.user_ids.empty());
  // A user id that the key did not sign is not shown; the key keeps its own.
  const Certificate more = Only(ours[0] + ours[1] + ours[2] + theirs[1] + theirs[2]);
  CHECK(more.keys[0].why_not == "");
  CHECK(more.user_ids == std::vector<std::string>{"Ann Example <ann@example.net>"});
}

TEST_CASE("openpgp certificate: of the future, it does not count yet", "[crypto][openpgp]") {
  const Certificate early = Only(*ExportPublic(Sample()), *ParseRfc3339("2026-11-23T09:29:59Z"));
  CHECK_FALSE(early.keys[0].MaySign());
  CHECK(early.keys[0].why_not.find("is this clock right?") != std::string::npos);
}

TEST_CASE("openpgp certificate: what is no key is said to be none", "[crypto][openpgp]") {
  CHECK(CodeOf("") == Errc::kMalformed);
  CHECK(CodeOf("hello") == Errc::kMalformed);
  CHECK(CodeOf(Text("rfc9580-a2-v4-signature.asc")) == Errc::kMalformed);
  CHECK(CodeOf(Bytes(2 * 1024 * 1024, '\x99')) == Errc::kMalformed);
  CHECK(CodeOf("-----BEGIN PGP MESSAGE-----\n\naaaa\n-----END PGP MESSAGE-----\n") ==
        Errc::kUnsupported);
  Bytes literal;
  AppendPacket(literal, static_cast<PacketType>(11), "b");
  CHECK(CodeOf(literal) == Errc::kMalformed);
  CHECK(CodeOf(Binary("gnupg-2.2-ed25519.asc") + literal) == Errc::kUnsupported);
  Bytes too_many;
  for (int i = 0; i < 65; ++i) too_many += Binary("rfc9580-a1-v4-public.asc");
  CHECK(CodeOf(too_many) == Errc::kFull);
}

TEST_CASE("openpgp certificate: how many signatures are checked is bounded", "[crypto][openpgp]") {
  const auto packets = PacketsOf(BinaryOf(*ExportPublic(Sample())));
  Bytes many = packets[0] + packets[1];
  for (int i = 0; i < 512; ++i) many += packets[2];
  CHECK(Only(many).keys[0].MaySign());
  CHECK(CodeOf(many + packets[2]) == Errc::kFull);
}

TEST_CASE("openpgp secret key: an altered file in clear shows", "[crypto][openpgp]") {
  const auto text = ExportSecret(Sample(), "");
  const auto packets = PacketsOf(BinaryOf(text->bytes));
  for (const std::size_t from_end : {1, 2, 3, 20}) {  // checksum, seed
    Bytes key = packets[0];
    key[key.size() - from_end] = static_cast<char>(key[key.size() - from_end] ^ 1);
    const Certificate certificate = Only(key + packets[1] + packets[2]);
    CHECK_FALSE(certificate.keys[0].secret->Open(""));
  }
}

TEST_CASE("openpgp secret key: a seed that begins with zeros comes back whole",
          "[crypto][openpgp]") {
  for (const std::size_t zeros : {1, 2, 31}) {
    const Bytes seed = Bytes(zeros, '\0') + Bytes(32 - zeros, '\x01');
    const KeyFile file{"Zero", kNow, *SecretKey::FromSeed(seed)};
    for (const char* passphrase : {"", "p"}) {
      const Certificate certificate = Only(ExportSecret(file, passphrase)->bytes);
      const auto back = OpenSecret(certificate, certificate.keys[0], passphrase);
      REQUIRE(back);
      CHECK(back->secret.Seed() == seed);
    }
  }
}
