#include "test/e2e/investigator.h"

#include <catch2/catch.hpp>

#include "net/http_signature.h"
#include "proto/access.h"
#include "util/encoding.h"

namespace mig::e2e {
namespace {

HttpClientOptions OptionsFor(const Lab& lab) {
  HttpClientOptions options;
  options.url = "https://127.0.0.1:" + std::to_string(ApiPort(lab));
  options.ca_file = (lab.folder() / "tls/servers-ca.crt").string();
  return options;
}

}  // namespace

Investigator::Investigator(const Lab& lab)
    : url_(OptionsFor(lab).url), http_(OptionsFor(lab)), session_(SecretKey::Generate()) {
  const Deployment deployment(lab);
  SessionRequest request;
  request.org = deployment.org;
  request.key = Bytes(session_.public_key().View());
  request.validfrom = Now() - std::chrono::minutes(1);
  request.expireafter = Now() + std::chrono::hours(1);
  request.nonce = RandomBytes(16);
  const Envelope envelope =
      Seal(kSessionType, EncodeSessionRequest(request), deployment.investigator);
  const HttpReply reply = CallUnsigned("POST", "/v1/session", EncodeEnvelope(envelope));
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  session_id_ = std::string(ParseJson(reply.body).at("session").as_string());
}

HttpReply Investigator::Call(const std::string& method, const std::string& target, Bytes body,
                             const HttpHeaders& headers) {
  HttpCall call{method, target, headers, std::move(body)};
  SignedParts parts{method, url_ + target, ""};
  if (!call.body.empty()) {
    parts.content_digest = ContentDigest(call.body);
    call.headers.Add("Content-Digest", parts.content_digest);
  }
  const SignatureFields fields = SignRequest(parts,
                                             {std::chrono::floor<std::chrono::seconds>(Now()),
                                              EncodeBase64Url(RandomBytes(16)), session_id_},
                                             session_);
  call.headers.Add("Signature-Input", fields.signature_input);
  call.headers.Add("Signature", fields.signature);
  return Send(std::move(call));
}

HttpReply Investigator::CallUnsigned(const std::string& method, const std::string& target,
                                     Bytes body, const HttpHeaders& headers) {
  return Send({method, target, headers, std::move(body)});
}

HttpReply Investigator::Send(HttpCall call) {
  INFO(call.method << " " << call.target);
  auto reply = http_.Call(std::move(call));
  if (!reply) FAIL(reply.error().message());
  return std::move(*reply);
}

}  // namespace mig::e2e
