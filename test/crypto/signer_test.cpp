#include "crypto/signer.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/ssh_wire.h"
#include "crypto/sshsig.h"
#include "util/encoding.h"

using namespace mig;

namespace {

constexpr std::string_view kType = "application/vnd.mig.action.v1+json";

KeyFile Ada() {
  return {"Ada <ada@example.net>", UtcTime(), SecretKey::FromSeed(Bytes(32, 'a')).value()};
}

// A signer in another program, that answers what the test says.
class Elsewhere : public Signer {
 public:
  using Signer::Made;
  Elsewhere(SignerKey key, Made made) : Signer(std::move(key)), made_(std::move(made)) {}

 private:
  Expected<Made> SignBytes(BytesView) override { return made_; }
  Made made_;
};

}  // namespace

TEST_CASE("signer: a secret key signs as ever", "[crypto]") {
  SecretKeySigner signer(Ada(), "a file");
  CHECK(signer.name() == "Ada <ada@example.net>");
  CHECK(signer.key().type == "ed25519");
  const auto envelope = Seal(kType, "{}", signer);
  REQUIRE(envelope);
  const Envelope expected = Seal(kType, "{}", Ada().secret);
  REQUIRE(envelope->signatures.size() == 1);
  CHECK(envelope->signatures[0].sig == expected.signatures[0].sig);
  CHECK(envelope->signatures[0].keyid == expected.signatures[0].keyid);
  CHECK(envelope->signatures[0].form == "ed25519");
}

TEST_CASE("signer: a raw signature that begins like a packet is still one", "[crypto]") {
  SecretKeySigner signer(Ada(), "a file");
  bool seen = false;
  for (int i = 0; i < 600; ++i) {  // one in fifty begins so
    const auto envelope = Seal(kType, std::to_string(i), signer);
    REQUIRE(envelope);
    const auto first = static_cast<unsigned char>(envelope->signatures[0].sig[0]);
    seen = seen || first == 0xC2 || (first & 0xFC) == 0x88;
  }
  CHECK(seen);
}

TEST_CASE("signer: a token's key has the id of its curve point alone", "[crypto]") {
  const Bytes raw(Ada().secret.public_key().View());
  const Elsewhere token({"sk-ed25519", raw + "ssh:", "Ada", "a token"}, {});
  CHECK(token.Fingerprint() == Sha256(raw));
}

TEST_CASE("signer: an answer that does not verify is never taken for a signature", "[crypto]") {
  const Bytes raw(Ada().secret.public_key().View());
  const SecretKey other = SecretKey::FromSeed(Bytes(32, 'b')).value();
  const Bytes message = PreAuthEncoding(kType, "{}");
  const Bytes blob =
      sshsig::Encode({{"ed25519", raw},
                      sshsig::Hash::kSha512,
                      Ada().secret.Sign(sshsig::ToBeSigned(message, sshsig::Hash::kSha512)),
                      0,
                      0});
  const SignerKey ada{"ed25519", raw, "Ada", "ssh-agent"};
  Envelope envelope{std::string(kType), "{}", {}};
  CHECK(AddSignature(envelope, *std::make_unique<Elsewhere>(ada, Elsewhere::Made{blob, "sshsig"})));
  CHECK(envelope.signatures.size() == 1);

  for (const Bytes& wrong : {other.Sign(message), Ada().secret.Sign("{}"), Bytes(), blob + "x"}) {
    Elsewhere faulty(ada, {wrong, "ed25519"});
    const auto added = AddSignature(envelope, faulty);
    REQUIRE_FALSE(added);
    CHECK(added.error().code() == Errc::kInternal);
    CHECK(envelope.signatures.size() == 1);
  }
}

TEST_CASE("signer: no raw signature is taken for another form by its first bytes", "[crypto]") {
  SecretKeySigner signer(Ada(), "a file");
  for (int i = 0; i < 2000; ++i) {
    const Bytes payload = std::to_string(i);
    REQUIRE(signer.Sign(kType, payload));
  }
}
