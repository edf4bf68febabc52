#include "crypto/ssh_agent_protocol.h"

#include <catch2/catch.hpp>

#include "crypto/ssh_wire.h"

using namespace mig;
using namespace mig::ssh;

namespace {

Bytes Answer(std::uint32_t count, std::initializer_list<std::pair<Bytes, std::string>> keys) {
  Bytes body(1, '\x0c');
  AppendUint32(body, count);
  for (const auto& [blob, comment] : keys) {
    AppendString(body, blob);
    AppendString(body, comment);
  }
  return body;
}

}  // namespace

TEST_CASE("ssh agent: requests are as the draft has them", "[crypto]") {
  CHECK(IdentitiesRequest() == BytesView("\0\0\0\1\x0b", 5));
  CHECK(SignRequest("K", "DD") == BytesView("\0\0\0\x10\x0d\0\0\0\1K\0\0\0\2DD\0\0\0\0", 20));
}

TEST_CASE("ssh agent: keys of every type are listed", "[crypto]") {
  const auto identities = ReadIdentitiesAnswer(Answer(2, {{"blob", "ada"}, {"other", ""}}));
  REQUIRE(identities);
  REQUIRE(identities->size() == 2);
  CHECK((*identities)[0].comment == "ada");
  CHECK((*identities)[1].key_blob == "other");
}

TEST_CASE("ssh agent: what is cut, claims more or has a rest is malformed", "[crypto]") {
  const Bytes body = Answer(1, {{"blob", "ada"}});
  for (std::size_t size = 0; size < body.size(); ++size) {
    CHECK_FALSE(ReadIdentitiesAnswer(BytesView(body).substr(0, size)));
  }
  CHECK(ReadIdentitiesAnswer(body + "x").error().code() == Errc::kMalformed);
  CHECK(ReadIdentitiesAnswer(Answer(4'000'000'000, {})).error().code() == Errc::kMalformed);
  CHECK_FALSE(AnswerBytes(BytesView("\0\0\0\0", 4)));
  CHECK_FALSE(AnswerBytes(BytesView("\xff\xff\xff\xff", 4)));
  CHECK(*AnswerBytes(BytesView("\0\0\1\0", 4)) == 256);
}

TEST_CASE("ssh agent: a failure is a refusal", "[crypto]") {
  CHECK(ReadSignAnswer("\x05").error().code() == Errc::kDenied);
  CHECK(ReadIdentitiesAnswer("\x05").error().code() == Errc::kDenied);
  CHECK(ReadSignAnswer("\x06").error().code() == Errc::kMalformed);
}

TEST_CASE("ssh agent: a raw signature is taken from an ssh-ed25519 signature alone", "[crypto]") {
  Bytes signature;
  AppendString(signature, "ssh-ed25519");
  AppendString(signature, Bytes(64, 's'));
  Bytes body(1, '\x0e');
  AppendString(body, signature);
  CHECK(RawSignature(*ReadSignAnswer(body)).value() == Bytes(64, 's'));
  CHECK_FALSE(RawSignature(signature + "x"));
  Bytes other;
  AppendString(other, "rsa-sha2-512");
  AppendString(other, Bytes(64, 's'));
  CHECK(RawSignature(other).error().code() == Errc::kInvalid);
}
