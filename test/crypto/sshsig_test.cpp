#include "crypto/sshsig.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/ssh_wire.h"
#include "test/crypto/ssh_vectors.h"

using namespace mig;
using namespace mig::sshsig;

namespace {

ssh::Key Ada() { return ssh::ReadPublicLine(ssh_vectors::kPublicLine)->key; }

Bytes BlobOf(std::string_view armoured) { return RemoveArmour(armoured).value(); }

Errc CodeOf(const Expected<void>& result) {
  REQUIRE_FALSE(result);
  return result.error().code();
}

// A FIDO token in software: what PROTOCOL.u2f says it signs, framed here by the test's own hand.
struct Token {
  SecretKey secret = SecretKey::FromSeed(Bytes(32, 't')).value();
  std::string application = "ssh:";
  std::uint8_t flags = kUserPresent;
  std::uint32_t counter = 7;

  ssh::Key Key() const { return {"sk-ed25519", Bytes(secret.public_key().View()) + application}; }
  Bytes Numbers() const {
    Bytes numbers(1, static_cast<char>(flags));
    ssh::AppendUint32(numbers, counter);
    return numbers;
  }
  // What the agent protocol answers.
  Bytes Sign(BytesView data) const {
    Bytes answer;
    ssh::AppendString(answer, "sk-ssh-ed25519@openssh.com");
    ssh::AppendString(answer, secret.Sign(Sha256(application) + Numbers() + Sha256(data)));
    return answer + Numbers();
  }
  Bytes Blob(BytesView message) const {
    return Encode(
        {Key(), Hash::kSha512,
         secret.Sign(Sha256(application) + Numbers() + Sha256(ToBeSigned(message, Hash::kSha512))),
         flags, counter});
  }
};

}  // namespace

TEST_CASE("sshsig: what ssh-keygen signed verifies", "[crypto]") {
  const ssh::Key ada = Ada();
  CHECK(Verify(BlobOf(ssh_vectors::kSha512), ssh_vectors::kMessage, ada.type, ada.key));
  CHECK(Verify(BlobOf(ssh_vectors::kSha256), ssh_vectors::kMessage, ada.type, ada.key));
}

TEST_CASE("sshsig: another message, another key or a changed bit is denied", "[crypto]") {
  const ssh::Key ada = Ada();
  const Bytes blob = BlobOf(ssh_vectors::kSha512);
  CHECK(CodeOf(Verify(blob, "DSSEv1 3 abc 5 hellO", ada.type, ada.key)) == Errc::kDenied);
  const Bytes other(SecretKey::Generate().public_key().View());
  CHECK(CodeOf(Verify(blob, ssh_vectors::kMessage, "ed25519", other)) == Errc::kDenied);
  for (std::size_t at = 0; at < blob.size(); ++at) {
    Bytes changed = blob;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    INFO("byte " << at);
    CHECK_FALSE(Verify(changed, ssh_vectors::kMessage, ada.type, ada.key));
  }
}

TEST_CASE("sshsig: no byte may be missing or follow", "[crypto]") {
  const Bytes blob = BlobOf(ssh_vectors::kSha512);
  for (std::size_t size = 0; size < blob.size(); ++size) {
    INFO("size " << size);
    CHECK_FALSE(Decode(BytesView(blob).substr(0, size)));
  }
  CHECK(Decode(blob + '\0').error().code() == Errc::kMalformed);
  CHECK(Decode(blob + Bytes(kMaxBlobBytes, 'x')).error().code() == Errc::kMalformed);
}

TEST_CASE("sshsig: a signature for another namespace is not one for mig", "[crypto]") {
  const ssh::Key ada = Ada();
  const auto verified =
      Verify(BlobOf(ssh_vectors::kOtherNamespace), ssh_vectors::kMessage, ada.type, ada.key);
  CHECK(CodeOf(verified) == Errc::kUnsupported);
  CHECK(verified.error().message().find("-n mig") != std::string::npos);
}

TEST_CASE("sshsig: RSA through SSH is refused by name", "[crypto]") {
  const auto blob = Decode(BlobOf(ssh_vectors::kRsa));
  REQUIRE_FALSE(blob);
  CHECK(blob.error().code() == Errc::kUnsupported);
  CHECK(blob.error().message().find("ssh-rsa") != std::string::npos);
}

TEST_CASE("sshsig: version, hash and reserved field are only what mig makes", "[crypto]") {
  const Bytes blob = BlobOf(ssh_vectors::kSha512);
  Bytes version = blob;
  version[9] = 2;
  CHECK(Decode(version).error().code() == Errc::kUnsupported);

  const std::size_t hash = blob.find("sha512");
  Bytes other_hash = blob;
  other_hash.replace(hash, 6, "sha384");
  CHECK(Decode(other_hash).error().code() == Errc::kUnsupported);

  // The reserved field is the empty string in front of the hash's name.
  Bytes reserved = blob;
  reserved.replace(hash - 8, 4, Bytes("\0\0\0\1x", 5));
  CHECK(Decode(reserved).error().code() == Errc::kUnsupported);
}

TEST_CASE("sshsig: a blob written is the blob read", "[crypto]") {
  for (const std::string_view text : {ssh_vectors::kSha512, ssh_vectors::kSha256}) {
    const Bytes blob = BlobOf(text);
    CHECK(Encode(*Decode(blob)) == blob);
    CHECK(AddArmour(blob) == text);
  }
}

TEST_CASE("sshsig: armour may have Windows line ends and nothing behind it", "[crypto]") {
  std::string text(ssh_vectors::kSha512);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  CHECK(RemoveArmour(text).value() == BlobOf(ssh_vectors::kSha512));
  CHECK_FALSE(RemoveArmour(std::string(ssh_vectors::kSha512) + "x"));
  CHECK_FALSE(RemoveArmour("-----BEGIN SSH SIGNATURE-----\nAAAA\n"));
  CHECK_FALSE(RemoveArmour(""));
  CHECK(RemoveArmour("-----BEGIN SSH SIGNATURE-----\n" + std::string(8192, 'A') +
                     "\n-----END SSH SIGNATURE-----\n")
            .error()
            .code() == Errc::kFull);
}

TEST_CASE("sshsig: an agent's answer becomes the blob that verifies", "[crypto]") {
  const SecretKey secret = SecretKey::FromSeed(Bytes(32, 'a')).value();
  const ssh::Key key{"ed25519", Bytes(secret.public_key().View())};
  Bytes answer;
  ssh::AppendString(answer, "ssh-ed25519");
  ssh::AppendString(answer, secret.Sign(ToBeSigned("message", Hash::kSha256)));
  const auto blob = Assemble(key, Hash::kSha256, answer);
  REQUIRE(blob);
  CHECK(Verify(*blob, "message", key.type, key.key));
  CHECK_FALSE(Assemble(key, Hash::kSha256, answer + '\0'));
  const ssh::Key on_token{"sk-ed25519", key.key + "ssh:"};
  CHECK(Assemble(on_token, Hash::kSha256, answer).error().code() == Errc::kInvalid);
}

TEST_CASE("sshsig: a touched token verifies, an untouched one is denied", "[crypto]") {
  Token token;
  const ssh::Key key = token.Key();
  CHECK(Verify(token.Blob("message"), "message", key.type, key.key));
  const auto assembled =
      Assemble(key, Hash::kSha512, token.Sign(ToBeSigned("message", Hash::kSha512)));
  REQUIRE(assembled);
  CHECK(*assembled == token.Blob("message"));

  token.flags = kUserPresent | kUserVerified;
  CHECK(Verify(token.Blob("message"), "message", key.type, key.key));

  token.flags = 0;  // correctly signed, nobody there
  CHECK(CodeOf(Verify(token.Blob("message"), "message", key.type, key.key)) == Errc::kDenied);
  CHECK(Assemble(key, Hash::kSha512, token.Sign("x")).error().code() == Errc::kInvalid);
  token.flags = kUserVerified;
  CHECK(CodeOf(Verify(token.Blob("message"), "message", key.type, key.key)) == Errc::kDenied);
}

TEST_CASE("sshsig: a token's flags and counter are signed", "[crypto]") {
  const Token token;
  const ssh::Key key = token.Key();
  Blob blob = *Decode(token.Blob("message"));
  ++blob.counter;
  CHECK(CodeOf(Verify(Encode(blob), "message", key.type, key.key)) == Errc::kDenied);
  --blob.counter;
  blob.flags |= kUserVerified;
  CHECK(CodeOf(Verify(Encode(blob), "message", key.type, key.key)) == Errc::kDenied);
}

TEST_CASE("sshsig: a token's signature for another application is one by another key", "[crypto]") {
  Token token;
  const ssh::Key key = token.Key();
  token.application = "ssh:other";
  CHECK(CodeOf(Verify(token.Blob("message"), "message", key.type, key.key)) == Errc::kDenied);
  // And the right application claimed over a signature made for the other.
  Blob blob = *Decode(token.Blob("message"));
  blob.key = key;
  CHECK(CodeOf(Verify(Encode(blob), "message", key.type, key.key)) == Errc::kDenied);
}

TEST_CASE("sshsig: a token's key never verifies as a plain one, nor the other way", "[crypto]") {
  const Token token;
  const Bytes raw(token.secret.public_key().View());
  CHECK(CodeOf(Verify(token.Blob("message"), "message", "ed25519", raw)) == Errc::kDenied);
  const Bytes plain = Encode({{"ed25519", raw},
                              Hash::kSha512,
                              token.secret.Sign(ToBeSigned("message", Hash::kSha512)),
                              0,
                              0});
  CHECK(Verify(plain, "message", "ed25519", raw));
  CHECK(CodeOf(Verify(plain, "message", "sk-ed25519", token.Key().key)) == Errc::kDenied);
}

TEST_CASE("sshsig: a key of a small order verifies nothing", "[crypto]") {
  // The neutral element, and the signature that is valid for it in the naive equation.
  const Bytes neutral = Bytes(1, '\1') + Bytes(31, '\0');
  const Bytes blob = Encode({{"ed25519", neutral}, Hash::kSha512, neutral + Bytes(32, '\0'), 0, 0});
  CHECK(CodeOf(Verify(blob, "message", "ed25519", neutral)) == Errc::kDenied);
}

TEST_CASE("sshsig: only types and lengths of documents are looked at", "[crypto]") {
  const Bytes blob = BlobOf(ssh_vectors::kSha512);
  CHECK(CodeOf(Verify(blob, "m", "rsa", Bytes(32, 'x'))) == Errc::kUnsupported);
  CHECK(CodeOf(Verify(blob, "m", "ed25519", Bytes(33, 'x'))) == Errc::kInvalid);
  CHECK(CodeOf(Verify(blob, "m", "sk-ed25519", Bytes(32, 'x'))) == Errc::kInvalid);
  CHECK(CodeOf(Verify(blob, "m", "sk-ed25519", Bytes(288, 'x'))) == Errc::kInvalid);
}
