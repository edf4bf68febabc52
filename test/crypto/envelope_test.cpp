#include "crypto/envelope.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

SecretKey TestKey(char fill) { return *SecretKey::FromSeed(Bytes(32, fill)); }

json::object Fields(const Envelope& envelope) { return EnvelopeToJson(envelope); }

Errc CodeOf(const json::object& fields) {
  const auto envelope = DecodeEnvelope(json::Write(fields));
  REQUIRE_FALSE(envelope);
  return envelope.error().code();
}

}  // namespace

TEST_CASE("envelope: the pre-authentication encoding of the DSSE specification", "[crypto]") {
  // secure-systems-lab/dsse, protocol.md, "Test Vectors".
  CHECK(PreAuthEncoding("http://example.com/HelloWorld", "hello world") ==
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(PreAuthEncoding("", "") == "DSSEv1 0  0 ");
}

TEST_CASE("envelope: sealed, written, read: the same bytes, and signed", "[crypto]") {
  const auto alice = TestKey('a');
  const auto bob = TestKey('b');
  Envelope envelope = Seal("application/x", Bytes("\0\xff{}", 4), alice);
  AddSignature(envelope, bob);
  const auto read = DecodeEnvelope(EncodeEnvelope(envelope));
  REQUIRE(read);
  CHECK(read->payload_type == "application/x");
  CHECK(read->payload == Bytes("\0\xff{}", 4));
  REQUIRE(read->signatures.size() == 2);
  CHECK(read->signatures[0].keyid == EncodeBase32(alice.public_key().Fingerprint()));
  CHECK(read->signatures[1].form == "ed25519");
  CHECK(SignedBy(*read, alice.public_key()));
  CHECK(SignedBy(*read, bob.public_key()));
  CHECK_FALSE(SignedBy(*read, TestKey('c').public_key()));
}

TEST_CASE("envelope: the signature covers payload and type", "[crypto]") {
  const auto key = TestKey('a');
  const Envelope envelope = Seal("application/x", "payload", key);
  Envelope other_type = envelope;
  other_type.payload_type = "application/y";
  CHECK_FALSE(SignedBy(other_type, key.public_key()));
  Envelope other_payload = envelope;
  other_payload.payload += ' ';
  CHECK_FALSE(SignedBy(other_payload, key.public_key()));
}

TEST_CASE("envelope: keyid and form are hints that change nothing", "[crypto]") {
  const auto key = TestKey('a');
  Envelope envelope = Seal("application/x", "payload", key);
  envelope.signatures[0].keyid = "somebody else";
  envelope.signatures[0].form = "sshsig";
  const auto read = DecodeEnvelope(EncodeEnvelope(envelope));
  REQUIRE(read);
  CHECK(read->signatures[0].form == "sshsig");
  CHECK(SignedBy(*read, key.public_key()));
}

TEST_CASE("envelope: unknown fields are unsupported at every level", "[crypto]") {
  json::object fields = Fields(Seal("t", "p", TestKey('a')));
  fields["extra"] = 1;
  CHECK(CodeOf(fields) == Errc::kUnsupported);
  fields.erase("extra");
  fields["signatures"].as_array()[0].as_object()["cert"] = "x";
  CHECK(CodeOf(fields) == Errc::kUnsupported);
}

TEST_CASE("envelope: what breaks the format is malformed", "[crypto]") {
  const json::object good = Fields(Seal("t", "p", TestKey('a')));
  REQUIRE(DecodeEnvelope(json::Write(good)));
  for (const char* missing : {"payloadType", "payload", "signatures"}) {
    json::object fields = good;
    fields.erase(missing);
    CHECK(CodeOf(fields) == Errc::kMalformed);
  }
  const auto with = [&](std::string_view key, json::value v) {
    json::object fields = good;
    fields[key] = std::move(v);
    return fields;
  };
  CHECK(CodeOf(with("payload", "cA")) == Errc::kMalformed);    // no padding
  CHECK(CodeOf(with("payload", "cB==")) == Errc::kMalformed);  // stray bits
  CHECK(CodeOf(with("payload", " cA==")) == Errc::kMalformed);
  CHECK(CodeOf(with("payload", 7)) == Errc::kMalformed);
  CHECK(CodeOf(with("payloadType", "")) == Errc::kMalformed);
  CHECK(CodeOf(with("signatures", json::array())) == Errc::kMalformed);
  CHECK(CodeOf(with("signatures", json::array{1})) == Errc::kMalformed);
  CHECK(CodeOf(with("signatures", json::array{json::object{{"sig", ""}}})) == Errc::kMalformed);
  CHECK(CodeOf(with("signatures", json::array{json::object{{"sig", "cA=="}, {"form", "Ed"}}})) ==
        Errc::kMalformed);
  CHECK_FALSE(DecodeEnvelope(""));
  CHECK_FALSE(DecodeEnvelope("[]"));
  CHECK_FALSE(DecodeEnvelope(json::Write(good) + "x"));
}

TEST_CASE("envelope: 32 signatures are read, 33 refused", "[crypto]") {
  Envelope envelope = Seal("t", "p", TestKey('a'));
  envelope.signatures.resize(32, envelope.signatures[0]);
  CHECK(DecodeEnvelope(EncodeEnvelope(envelope)));
  envelope.signatures.resize(33, envelope.signatures[0]);
  CHECK_FALSE(DecodeEnvelope(EncodeEnvelope(envelope)));
}

TEST_CASE("envelope: 256 KiB is the most, alone or inside another document", "[crypto]") {
  const auto key = TestKey('a');
  const std::size_t around = EncodeEnvelope(Seal("t", "", key)).size();
  const std::size_t most = (kMaxEnvelopeBytes - around) / 4 * 3;
  CHECK(DecodeEnvelope(EncodeEnvelope(Seal("t", Bytes(most, 'x'), key))));
  const Envelope large = Seal("t", Bytes(most + 3, 'x'), key);
  CHECK_FALSE(DecodeEnvelope(EncodeEnvelope(large)));
  const Envelope huge = Seal("t", Bytes(kMaxEnvelopeBytes, 'x'), key);
  CHECK_FALSE(EnvelopeFromJson(EnvelopeToJson(huge), "inner"));
}
