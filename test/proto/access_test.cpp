#include "proto/access.h"

#include <catch2/catch.hpp>

using namespace mig;

namespace {

SessionRequest Session() {
  SessionRequest request;
  request.org = *OrgId::FromBytes(Bytes(32, 'o'));
  request.key = Bytes(32, 'k');
  request.validfrom = *ParseRfc3339("2026-11-23T09:00:00Z");
  request.expireafter = *ParseRfc3339("2026-11-23T17:00:00Z");
  request.nonce = Bytes(16, 'n');
  return request;
}

}  // namespace

TEST_CASE("access: a session is at most eight hours, and not backwards", "[proto]") {
  SessionRequest request = Session();
  CHECK(DecodeSessionRequest(EncodeSessionRequest(request)));
  request.expireafter += std::chrono::milliseconds(1);
  CHECK_FALSE(DecodeSessionRequest(EncodeSessionRequest(request)));
  request.expireafter = request.validfrom;
  CHECK_FALSE(DecodeSessionRequest(EncodeSessionRequest(request)));
}

TEST_CASE("access: keys, nonces and secrets have their exact length", "[proto]") {
  SessionRequest request = Session();
  request.key.pop_back();
  CHECK_FALSE(DecodeSessionRequest(EncodeSessionRequest(request)));

  EnrolRequest enrol{request.org, Bytes(32, 't'), Bytes(32, 'k'), "pem", "host"};
  CHECK(DecodeEnrolRequest(EncodeEnrolRequest(enrol)));
  enrol.token += 'x';
  CHECK_FALSE(DecodeEnrolRequest(EncodeEnrolRequest(enrol)));

  RenewRequest renew{request.org, Bytes(32, 'k'), "pem", request.validfrom, Bytes(16, 'n')};
  CHECK(DecodeRenewRequest(EncodeRenewRequest(renew))->time == renew.time);
  renew.csr.assign(8193, 'x');
  CHECK_FALSE(DecodeRenewRequest(EncodeRenewRequest(renew)));
}

TEST_CASE("access: an unknown field in a signed request is refused", "[proto]") {
  Bytes text = EncodeSessionRequest(Session());
  text.insert(text.size() - 1, ",\"admin\":true");
  CHECK(DecodeSessionRequest(text).error().code() == Errc::kUnsupported);
}

TEST_CASE("access: an enrolment token survives its text form, and only over https", "[proto]") {
  EnrolToken token{"https://mig.example.net:8443", Bytes(32, 'p'),
                   *OrgId::FromBytes(Bytes(32, 'o')), Bytes(32, 's')};
  const auto read = ReadEnrolToken(WriteEnrolToken(token));
  REQUIRE(read);
  CHECK(read->api == token.api);
  CHECK(read->secret == token.secret);
  token.api = "http://mig.example.net";
  CHECK_FALSE(ReadEnrolToken(WriteEnrolToken(token)));
  CHECK_FALSE(ReadEnrolToken("not a token!"));
}
