#include "crypto/openpgp_secret_key.h"

#include <openssl/evp.h>
#include <catch2/catch.hpp>

#include "crypto/openpgp_cipher.h"
#include "crypto/openpgp_s2k.h"
#include "test/crypto/openpgp_forge.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

Bytes Hex(std::string_view hex) { return *DecodeHex(hex); }

// Opens `secret_part` as that of Key().
Expected<SecretKey> Open(BytesView secret_part, std::string_view passphrase = "pass") {
  const Bytes public_part = PublicKeyBodyV4(Key().public_key(), 1'780'000'000);
  KeyPacket packet;
  packet.has_secret = true;
  packet.version = 4;
  packet.algorithm = 22;
  packet.public_part = public_part;
  packet.secret_part = secret_part;
  packet.material.emplace(Key().public_key());
  return LockedKey(packet).Open(passphrase);
}
Error ErrorOf(BytesView secret_part, std::string_view passphrase = "pass") {
  auto opened = Open(secret_part, passphrase);
  REQUIRE_FALSE(opened);
  return std::move(opened).error();
}

// The secret of Key() under any cipher, hash and S2K type, as other programs write it (usage 254).
Bytes Locked(std::uint8_t cipher, const Bytes& specifier) {
  Octets octets(specifier);
  const S2k s2k = *ReadS2k(octets);
  const auto key = DeriveKey(s2k, "pass", *CipherKeyBytes(cipher));
  Bytes clear;
  AppendMpi(clear, Bytes(32, 'k'));
  Digest digest(DigestKind::kSha1);
  digest.Update(clear);
  clear += digest.Finish();
  const Bytes initial(16, 'i');
  return Bytes(1, '\xFE') + static_cast<char>(cipher) + specifier + initial +
         Cfb(CfbWay::kEncrypt, cipher, key->bytes, initial, clear).bytes;
}

// The same sealed with AEAD, as RFC 9580 section 5.5.3 says for version 4 keys (usage 253).
Bytes Sealed(std::uint8_t cipher, std::uint8_t aead) {
  const Bytes specifier = Hex("0008");
  Octets octets(specifier);
  const std::size_t key_bytes = *CipherKeyBytes(cipher);
  const auto derived = DeriveKey(*ReadS2k(octets), "pass", key_bytes);
  const Bytes info = {'\xC5', 4, static_cast<char>(cipher), static_cast<char>(aead)};
  const Bytes key = Hkdf(derived->bytes, info, key_bytes).bytes;
  const Bytes nonce(*AeadNonceBytes(aead), 'n');
  const Bytes about = "\xC5" + PublicKeyBodyV4(Key().public_key(), 1'780'000'000);
  Bytes clear;
  AppendMpi(clear, Bytes(32, 'k'));
  Bytes out(clear.size(), '\0');
  Bytes tag(16, '\0');
  const auto u = [](const Bytes& b) { return reinterpret_cast<const unsigned char*>(b.data()); };
  const auto w = [](Bytes& b) { return reinterpret_cast<unsigned char*>(b.data()); };
  const std::string name = "AES-" + std::to_string(key_bytes * 8) + (aead == 2 ? "-OCB" : "-GCM");
  EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr);
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  int size = 0;
  int last = 0;
  EVP_EncryptInit_ex2(context, algorithm, nullptr, nullptr, nullptr);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()), nullptr);
  EVP_EncryptInit_ex2(context, nullptr, u(key), u(nonce), nullptr);
  EVP_EncryptUpdate(context, nullptr, &size, u(about), static_cast<int>(about.size()));
  EVP_EncryptUpdate(context, w(out), &size, u(clear), static_cast<int>(clear.size()));
  EVP_EncryptFinal_ex(context, w(out) + size, &last);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(algorithm);
  return Bytes(1, '\xFD') + static_cast<char>(cipher) + static_cast<char>(aead) + specifier +
         nonce + out + tag;
}

std::string Derived(std::string_view specifier, std::string_view passphrase, std::size_t size) {
  const Bytes bytes = Hex(specifier);
  Octets octets(bytes);
  const auto s2k = ReadS2k(octets);
  REQUIRE(s2k);
  REQUIRE(octets.AtEnd());
  return EncodeHex(DeriveKey(*s2k, passphrase, size)->bytes);
}
Errc SpecifierCode(const Bytes& specifier) {
  Octets octets(specifier);
  const auto s2k = ReadS2k(octets);
  REQUIRE_FALSE(s2k);
  return s2k.error().code();
}

}  // namespace

TEST_CASE("openpgp s2k: simple, salted and iterated are hashes of salt and passphrase",
          "[crypto][openpgp]") {  // RFC 9580 section 3.7.1
  const auto sha256 = [](const Bytes& bytes) { return EncodeHex(Sha256(bytes)); };
  CHECK(Derived("0008", "pass", 32) == sha256("pass"));
  CHECK(Derived("0008", "pass", 16) == sha256("pass").substr(0, 32));
  const Bytes salted = "saltsalt";
  CHECK(Derived("0108" + EncodeHex(salted), "pass", 32) == EncodeHex(Sha256(salted + "pass")));
  // 1024 octets: the shortest count there is.
  Bytes repeated;
  while (repeated.size() < 1024) repeated += salted + "pass";
  repeated.resize(1024);
  CHECK(Derived("0308" + EncodeHex(salted) + "00", "pass", 32) == EncodeHex(Sha256(repeated)));
  // Salt and passphrase are hashed whole, even beyond the count.
  const std::string long_one(2000, 'p');
  CHECK(Derived("0308" + EncodeHex(salted) + "00", long_one, 32) ==
        EncodeHex(Sha256(salted + long_one)));
}

TEST_CASE("openpgp s2k: a key longer than the digest is several, each with one more zero in front",
          "[crypto][openpgp]") {
  Digest sha1(DigestKind::kSha1);
  sha1.Update("pass");
  const Bytes first = sha1.Finish();
  sha1.Update(Bytes(1, '\0') + "pass");
  const Bytes second = sha1.Finish();
  CHECK(Derived("0002", "pass", 32) == EncodeHex(first + second).substr(0, 64));
}

TEST_CASE("openpgp s2k: what opening a file may cost is bounded", "[crypto][openpgp]") {
  const auto argon2 = [](unsigned passes, unsigned lanes, unsigned memory) {
    Bytes out(1, '\x04');
    out += Bytes(16, 's');
    for (const unsigned n : {passes, lanes, memory}) out += static_cast<char>(n);
    return out;
  };
  for (const Bytes& specifier :
       {argon2(0, 1, 10), argon2(17, 1, 10), argon2(1, 0, 10), argon2(1, 17, 10), argon2(1, 4, 22),
        argon2(1, 4, 255), argon2(1, 4, 4), argon2(1, 1, 2)}) {
    CHECK(SpecifierCode(specifier) == Errc::kInvalid);
  }
  for (const Bytes& specifier : {argon2(1, 4, 5), argon2(16, 16, 21), argon2(1, 1, 3)}) {
    Octets octets(specifier);
    CHECK(ReadS2k(octets));
  }
}

TEST_CASE("openpgp s2k: other types and hashes are named", "[crypto][openpgp]") {
  CHECK(SpecifierCode(Hex("0208")) == Errc::kUnsupported);
  CHECK(SpecifierCode(Hex("0001")) == Errc::kUnsupported);  // MD5
  CHECK(SpecifierCode(Hex("0003")) == Errc::kUnsupported);
  CHECK(SpecifierCode(Hex("6500474e5501")) == Errc::kUnsupported);
  CHECK(SpecifierCode(Hex("0308")) == Errc::kMalformed);
  CHECK(SpecifierCode(Hex("")) == Errc::kMalformed);
}

// Test case 4 of the GCM specification (McGrew and Viega). OCB is held by RFC 9580 A.5.
TEST_CASE("openpgp cipher: GCM opens what others sealed, and nothing changed",
          "[crypto][openpgp]") {
  const Bytes key = Hex("feffe9928665731c6d6a8f9467308308");
  const Bytes nonce = Hex("cafebabefacedbaddecaf888");
  const Bytes about = Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  Bytes sealed =
      Hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5a"
          "ac84aa05"
          "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47");
  const auto opened = OpenAead(7, 3, key, nonce, about, sealed);
  REQUIRE(opened);
  CHECK(EncodeHex(opened->bytes) ==
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
        "a6b5"
        "25b16aedf5aa0de657ba637b39");
  CHECK_FALSE(OpenAead(7, 3, key, nonce, about + "x", sealed));
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  CHECK_FALSE(OpenAead(7, 3, key, nonce, about, sealed));
  CHECK_FALSE(OpenAead(7, 3, key, nonce, about, "short"));
}

TEST_CASE("openpgp cipher: HKDF without salt is that of RFC 5869 A.3", "[crypto][openpgp]") {
  CHECK(EncodeHex(Hkdf(Bytes(22, '\x0b'), "", 42).bytes) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("openpgp secret key: every AES and every hash that is read, in usage 254",
          "[crypto][openpgp]") {
  for (const std::uint8_t cipher : {7, 8, 9}) {
    for (const char* hash : {"02", "08", "09", "0a"}) {
      for (const std::string& specifier :
           {std::string("00") + hash, std::string("01") + hash + "0102030405060708",
            std::string("03") + hash + "010203040506070860"}) {
        const Bytes part = Locked(cipher, Hex(specifier));
        const auto opened = Open(part);
        REQUIRE(opened);
        CHECK(opened->Seed() == Bytes(32, 'k'));
        CHECK(ErrorOf(part, "Pass").code() == Errc::kDenied);
        CHECK(ErrorOf(part, "").code() == Errc::kDenied);
      }
    }
  }
}

TEST_CASE("openpgp secret key: every AES in OCB and GCM, in usage 253 of version 4",
          "[crypto][openpgp]") {
  for (const std::uint8_t cipher : {7, 8, 9}) {
    for (const std::uint8_t aead : {2, 3}) {
      const Bytes part = Sealed(cipher, aead);
      const auto opened = Open(part);
      if (!opened) FAIL(opened.error().message());
      CHECK(opened->Seed() == Bytes(32, 'k'));
      CHECK(ErrorOf(part, "Pass").code() == Errc::kDenied);
      for (std::size_t at = 0; at < part.size(); ++at) {
        Bytes changed = part;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        INFO(at);
        CHECK_FALSE(Open(changed));
      }
    }
  }
}

TEST_CASE("openpgp secret key: cut or changed anywhere, it does not open", "[crypto][openpgp]") {
  const Bytes part = Locked(9, Hex("0308010203040506070800"));
  REQUIRE(Open(part));
  for (std::size_t size = 0; size < part.size(); ++size) CHECK_FALSE(Open(part.substr(0, size)));
  CHECK_FALSE(Open(part + 'x'));
  for (std::size_t at = 0; at < part.size(); ++at) {
    Bytes changed = part;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    INFO(at);
    CHECK_FALSE(Open(changed));
  }
}

TEST_CASE("openpgp secret key: protections that show nothing are refused, with a way out",
          "[crypto][openpgp]") {
  for (const Bytes& part : {Hex("ff0903080102030405060708") + Bytes(60, 'x'),
                            Hex("09") + Bytes(60, 'x'), Hex("01") + Bytes(60, 'x')}) {
    const Error error = ErrorOf(part);
    CHECK(error.code() == Errc::kUnsupported);
    CHECK(error.message().find("gpg --passwd") != std::string::npos);
  }
}

TEST_CASE("openpgp secret key: a placeholder and a card are explained", "[crypto][openpgp]") {
  for (const char* usage : {"fe", "ff"}) {
    CHECK(ErrorOf(Hex(std::string(usage) + "006500474e5501")).message().find("gnu-dummy") !=
          std::string::npos);
    CHECK(ErrorOf(Hex(std::string(usage) + "006500474e5502")).message().find("smart card") !=
          std::string::npos);
  }
}

TEST_CASE("openpgp secret key: the secret of another key is not taken", "[crypto][openpgp]") {
  const SecretKey other = *SecretKey::FromSeed(Bytes(32, 'o'));
  for (const char* passphrase : {"", "pass"}) {
    CHECK(ErrorOf(SecretPartV4(other, passphrase)->bytes).code() == Errc::kDenied);
  }
}

TEST_CASE("openpgp secret key: other ciphers and AEAD modes are named", "[crypto][openpgp]") {
  CHECK(ErrorOf(Hex("fe030008") + Bytes(80, 'x')).message().find("cipher 3") != std::string::npos);
  CHECK(ErrorOf(Hex("fd09010008") + Bytes(80, 'x')).message().find("EAX") != std::string::npos);
  CHECK(ErrorOf(Hex("fd09020008") + Bytes(80, 'x')).code() == Errc::kDenied);
}
