#include "crypto/verifying_key.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/sshsig.h"

using namespace mig;

namespace {

SecretKey TestKey(char seed) { return SecretKey::FromSeed(Bytes(32, seed)).value(); }

VerifyingKey Ed25519Of(const SecretKey& key) {
  return VerifyingKey::From("ed25519", key.public_key().View()).value();
}

}  // namespace

TEST_CASE("verifying key: a raw Ed25519 signature verifies under its own key alone", "[crypto]") {
  const SecretKey ann = TestKey('a');
  const Bytes signature = ann.Sign("message");
  CHECK(Ed25519Of(ann).Verify("message", signature));
  CHECK_FALSE(Ed25519Of(ann).Verify("massage", signature));
  CHECK_FALSE(Ed25519Of(TestKey('b')).Verify("message", signature));
  CHECK_FALSE(Ed25519Of(ann).Verify("message", signature + '\0'));
  CHECK_FALSE(Ed25519Of(ann).Verify("message", signature.substr(0, 63)));
  CHECK_FALSE(Ed25519Of(ann).Verify("message", ""));
}

TEST_CASE("verifying key: its id is the digest of its material", "[crypto]") {
  const SecretKey ann = TestKey('a');
  CHECK(Ed25519Of(ann).Fingerprint() == Sha256(ann.public_key().View()));
  CHECK(Ed25519Of(ann).Material() == ann.public_key().View());
}

TEST_CASE("verifying key: an unknown type is told apart from a broken key", "[crypto]") {
  CHECK(VerifyingKey::From("dsa", Bytes(32, 'x')).error().code() == Errc::kUnsupported);
  CHECK(VerifyingKey::From("", "").error().code() == Errc::kUnsupported);
  CHECK(VerifyingKey::From("ed25519", Bytes(31, 'x')).error().code() == Errc::kMalformed);
}

TEST_CASE("verifying key: an SSHSIG by the same key verifies, in no other namespace's stead",
          "[crypto]") {
  const SecretKey ann = TestKey('a');
  sshsig::Blob blob;
  blob.key = {"ed25519", Bytes(ann.public_key().View())};
  blob.signature = ann.Sign(sshsig::ToBeSigned("message", blob.hash));
  CHECK(Ed25519Of(ann).Verify("message", sshsig::Encode(blob)));
  CHECK_FALSE(Ed25519Of(ann).Verify("massage", sshsig::Encode(blob)));
  CHECK_FALSE(Ed25519Of(TestKey('b')).Verify("message", sshsig::Encode(blob)));
  // The signature alone is one over the SSHSIG frame, not over the message.
  CHECK_FALSE(Ed25519Of(ann).Verify("message", blob.signature));
}

TEST_CASE("verifying key: a token's key never verifies a raw signature", "[crypto]") {
  const SecretKey ann = TestKey('a');
  const auto token =
      VerifyingKey::From("sk-ed25519", Bytes(ann.public_key().View()) + "ssh:").value();
  CHECK_FALSE(token.Verify("message", ann.Sign("message")));
  CHECK(token.Fingerprint() == Ed25519Of(ann).Fingerprint());
  CHECK(VerifyingKey::From("sk-ed25519", ann.public_key().View()).error().code() ==
        Errc::kMalformed);
}
