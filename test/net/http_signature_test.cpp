#include "net/http_signature.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

namespace mig {
namespace {

// RFC 9421 appendix B.1.4, test-key-ed25519: the raw keys out of its PEM.
SecretKey RfcKey() {
  return *SecretKey::FromSeed(
      *DecodeHex("9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5"));
}

constexpr std::string_view kUri = "https://127.0.0.1:8443/v1/actions?limit=5";

SignedParts Parts() { return {"POST", std::string(kUri), ContentDigest("{\"hello\": \"world\"}")}; }

SignatureParameters Parameters() {
  return {UtcTime(std::chrono::seconds(1618884473)), "n-0\"1\\", "test-key-ed25519"};
}

HttpHeaders HeadersOf(const SignatureFields& fields, const std::string& digest) {
  HttpHeaders headers{{"Signature-Input", fields.signature_input}, {"Signature", fields.signature}};
  if (!digest.empty()) headers.Add("Content-Digest", digest);
  return headers;
}

}  // namespace

TEST_CASE("http signature: the Ed25519 example of the standard", "[net]") {  // RFC 9421 B.2.6
  const std::string raw =
      "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")"
      ";created=1618884473;keyid=\"test-key-ed25519\"";
  const std::string base = SignatureBase({{"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
                                          {"@method", "POST"},
                                          {"@path", "/foo"},
                                          {"@authority", "example.com"},
                                          {"content-type", "application/json"},
                                          {"content-length", "18"}},
                                         raw);
  CHECK(base ==
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
        "\"@method\": POST\n"
        "\"@path\": /foo\n"
        "\"@authority\": example.com\n"
        "\"content-type\": application/json\n"
        "\"content-length\": 18\n"
        "\"@signature-params\": " +
            raw);
  const SecretKey key = RfcKey();
  CHECK(EncodeBase64(key.public_key().View()) == "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");
  CHECK(EncodeBase64(key.Sign(base)) ==
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1"
        "u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
}

TEST_CASE("http signature: digests of bodies", "[net]") {
  // RFC 9530 appendix D; the body of RFC 9421 section 2.
  const std::string body = "{\"hello\": \"world\"}";
  CHECK(ContentDigest(body) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
  CHECK(CheckContentDigest(ContentDigest(body), body));
  CHECK(CheckContentDigest("md5=:AAAA:, " + ContentDigest(body), body));
  CHECK(CheckContentDigest(ContentDigest(""), ""));
  CHECK(CheckContentDigest(ContentDigest(body), "{\"hello\": \"World\"}").error().code() ==
        Errc::kDenied);
  for (const char* bad : {"", "sha-256=X48E", "sha-256=:X48E",
                          "md5=:AAAA:", "sha-256=:*:", "sha-256", "=::", "sha-256=:AAAA:,"}) {
    CAPTURE(bad);
    CHECK_FALSE(CheckContentDigest(bad, body));
  }
}

TEST_CASE("http signature: what is signed verifies, and nothing else", "[net]") {
  const SecretKey key = RfcKey();
  const auto fields = SignRequest(Parts(), Parameters(), key);
  CHECK(fields.signature_input ==
        "mig=(\"@method\" \"@target-uri\" \"content-digest\");created=1618884473"
        ";nonce=\"n-0\\\"1\\\\\";keyid=\"test-key-ed25519\";alg=\"ed25519\"");
  const auto received = ParseSignature(fields.signature_input, fields.signature);
  REQUIRE(received);
  CHECK(received->parameters.created == Parameters().created);
  CHECK(received->parameters.nonce == Parameters().nonce);
  CHECK(received->parameters.keyid == Parameters().keyid);
  CHECK(VerifyRequest(*received, Parts(), key.public_key()));

  CHECK_FALSE(VerifyRequest(*received, Parts(), SecretKey::Generate().public_key()));
  SignedParts other = Parts();
  other.method = "GET";
  CHECK_FALSE(VerifyRequest(*received, other, key.public_key()));
  other = Parts();
  other.target_uri += "0";
  CHECK_FALSE(VerifyRequest(*received, other, key.public_key()));
  other = Parts();
  other.content_digest = ContentDigest("another body");
  CHECK_FALSE(VerifyRequest(*received, other, key.public_key()));
  auto later = *received;
  later.raw_parameters.replace(later.raw_parameters.find("1618884473"), 10, "1618884474");
  CHECK_FALSE(VerifyRequest(later, Parts(), key.public_key()));
}

TEST_CASE("http signature: one that leaves out what must be covered does not count", "[net]") {
  const SecretKey key = RfcKey();
  SignedParts bare = Parts();
  bare.content_digest.clear();
  const auto fields = SignRequest(bare, Parameters(), key);
  const auto received = ParseSignature(fields.signature_input, fields.signature);
  REQUIRE(received);
  CHECK(VerifyRequest(*received, bare, key.public_key()));
  CHECK_FALSE(VerifyRequest(*received, Parts(), key.public_key()));  // a body was added

  const std::string raw = "(\"@method\");created=1;nonce=\"n\";keyid=\"k\"";
  const Bytes signature = key.Sign(SignatureBase({{"@method", "POST"}}, raw));
  const auto narrow = ParseSignature("x=" + raw, "x=:" + EncodeBase64(signature) + ":");
  REQUIRE(narrow);
  CHECK_FALSE(VerifyRequest(*narrow, bare, key.public_key()));
}

TEST_CASE("http signature: fields that are not exactly one canonical signature", "[net]") {
  const auto good = SignRequest(Parts(), Parameters(), RfcKey());
  const auto parse = [&](const std::string& input) {
    return ParseSignature(input, good.signature);
  };
  REQUIRE(parse(good.signature_input));
  for (const char* bad : {
           "",
           "mig",
           "mig=",
           "mig=()",
           "mig=(\"@method\";sf);created=1;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\"  \"@target-uri\");created=1;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\" \"@method\");created=1;nonce=\"n\";keyid=\"k\"",
           "mig=( \"@method\");created=1;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@query\");created=1;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\");created=1;nonce=\"n\"",
           "mig=(\"@method\");created=01;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\");created=-1;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\");created=1;created=2;nonce=\"n\";keyid=\"k\"",
           "mig=(\"@method\");created=1;nonce=n;keyid=\"k\"",
           "mig=(\"@method\");created=1;nonce=\"n\";keyid=\"k\";expires=5",
           "mig=(\"@method\");created=1;nonce=\"n\";keyid=\"k\";tag=\"t\"",
           "mig=(\"@method\");created=1;nonce=\"n\";keyid=\"k\";alg=\"hmac-sha256\"",
           "mig=(\"@method\");created=1;nonce=\"n\";keyid=\"k\", two=()",
           "mig=(\"@method\");created=1;nonce=\"n\\x\";keyid=\"k\"",
           "Mig=(\"@method\");created=1;nonce=\"n\";keyid=\"k\"",
       }) {
    CAPTURE(bad);
    CHECK_FALSE(parse(bad));
  }
  CHECK_FALSE(
      parse("mig=(\"@method\");created=1;nonce=\"" + std::string(65, 'n') + "\";keyid=\"k\""));
  for (const char* bad : {"", "mig=:AAAA:", "sig=:AAAA:", "mig=AAAA", "mig=:AA"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseSignature(good.signature_input, bad));
  }
}

TEST_CASE("http signature: a whole request, and each way it can be wrong", "[net]") {
  const SecretKey key = RfcKey();
  const std::string body = "{\"hello\": \"world\"}";
  const auto headers = HeadersOf(SignRequest(Parts(), Parameters(), key), ContentDigest(body));
  const auto key_of = [&](std::string_view keyid) -> std::optional<PublicKey> {
    if (keyid != "test-key-ed25519") return std::nullopt;
    return key.public_key();
  };
  const auto verified = VerifySignedRequest("POST", kUri, headers, body, key_of);
  REQUIRE(verified);
  CHECK(verified->nonce == Parameters().nonce);

  CHECK_FALSE(VerifySignedRequest("POST", kUri, {}, body, key_of));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, headers, "another body", key_of));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, headers, "", key_of));
  CHECK_FALSE(VerifySignedRequest("PUT", kUri, headers, body, key_of));
  CHECK_FALSE(
      VerifySignedRequest("POST", "https://127.0.0.1:8443/v1/agents", headers, body, key_of));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, headers, body,
                                  [](std::string_view) { return std::nullopt; }));

  HttpHeaders twice = headers;
  twice.Add("signature-input", headers.Get("Signature-Input"));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, twice, body, key_of));

  SignedParts bare = Parts();
  bare.content_digest.clear();
  const auto uncovered = HeadersOf(SignRequest(bare, Parameters(), key), "");
  CHECK(VerifySignedRequest("POST", kUri, uncovered, "", key_of));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, uncovered, body, key_of));
  const auto beside = HeadersOf(SignRequest(bare, Parameters(), key), ContentDigest(body));
  CHECK_FALSE(VerifySignedRequest("POST", kUri, beside, body, key_of));
}

}  // namespace mig
