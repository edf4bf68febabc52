#include "proto/access.h"

#include "proto/id_field.h"
#include "proto/strict_document.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMaxCsrBytes = 8 * 1024;
constexpr std::size_t kMaxAgentNameBytes = 255;
constexpr std::size_t kMaxTokenText = 4096;

std::string ReadBounded(json::ObjectReader& in, std::string_view key, std::size_t most) {
  std::string value = in.String(key);
  if (value.empty() || value.size() > most) {
    in.Fail(key, "has not 1.." + std::to_string(most) + " bytes");
  }
  return value;
}

}  // namespace

Expected<SessionRequest> DecodeSessionRequest(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("session");
  json::ObjectReader in(*fields, "session");
  SessionRequest request;
  request.org = ReadId<OrgId>(in, "org");
  request.key = ReadExactly(in, "key", kKeyBytes);
  request.validfrom = in.Time("validfrom");
  request.expireafter = in.Time("expireafter");
  request.nonce = ReadExactly(in, "nonce", kNonceBytes);
  if (request.expireafter <= request.validfrom) {
    in.Fail("expireafter", "is not after validfrom");
  } else if (request.expireafter - request.validfrom > kMaxSessionValidity) {
    in.Fail("expireafter", "is more than 8 hours after validfrom");
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return request;
}

Bytes EncodeSessionRequest(const SessionRequest& request) {
  return json::Write(json::object{{"org", request.org.Text()},
                                  {"key", EncodeBase64(request.key)},
                                  {"validfrom", FormatRfc3339(request.validfrom)},
                                  {"expireafter", FormatRfc3339(request.expireafter)},
                                  {"nonce", EncodeBase64(request.nonce)}});
}

Expected<EnrolRequest> DecodeEnrolRequest(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("enrolment");
  json::ObjectReader in(*fields, "enrolment");
  EnrolRequest request;
  request.org = ReadId<OrgId>(in, "org");
  request.token = ReadExactly(in, "token", kKeyBytes);
  request.key = ReadExactly(in, "key", kKeyBytes);
  request.csr = ReadBounded(in, "csr", kMaxCsrBytes);
  request.name = ReadBounded(in, "name", kMaxAgentNameBytes);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return request;
}

Bytes EncodeEnrolRequest(const EnrolRequest& request) {
  return json::Write(json::object{{"org", request.org.Text()},
                                  {"token", EncodeBase64(request.token)},
                                  {"key", EncodeBase64(request.key)},
                                  {"csr", request.csr},
                                  {"name", request.name}});
}

Expected<RenewRequest> DecodeRenewRequest(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("renewal");
  json::ObjectReader in(*fields, "renewal");
  RenewRequest request;
  request.org = ReadId<OrgId>(in, "org");
  request.key = ReadExactly(in, "key", kKeyBytes);
  request.csr = ReadBounded(in, "csr", kMaxCsrBytes);
  request.time = in.Time("time");
  request.nonce = ReadExactly(in, "nonce", kNonceBytes);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return request;
}

Bytes EncodeRenewRequest(const RenewRequest& request) {
  return json::Write(json::object{{"org", request.org.Text()},
                                  {"key", EncodeBase64(request.key)},
                                  {"csr", request.csr},
                                  {"time", FormatRfc3339(request.time)},
                                  {"nonce", EncodeBase64(request.nonce)}});
}

Expected<EnrolAnswer> DecodeEnrolAnswer(BytesView text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error().During("answer to enrolment");
  // A newer API may say more than this agent understands.
  json::ObjectReader in(*fields, "answer to enrolment", json::ObjectReader::Unknown::kIgnore);
  EnrolAnswer answer;
  answer.certificate = in.String("certificate");
  answer.agents_ca = in.String("agents_ca");
  if (const json::array* roots = in.Array("roots")) {
    for (const json::value& root : *roots) {
      if (!root.is_object()) {
        in.Fail("roots", "has an element that is not an object");
        break;
      }
      answer.roots.push_back(root.get_object());
    }
  }
  if (const json::object* policy = in.Object("policy")) answer.policy = *policy;
  if (const json::object* freshness = in.OptionalObject("freshness")) answer.freshness = *freshness;
  if (const json::object* grant = in.OptionalObject("grant")) answer.grant = *grant;
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return answer;
}

Bytes EncodeEnrolAnswer(const EnrolAnswer& answer) {
  json::array roots;
  for (const json::object& root : answer.roots) roots.push_back(root);
  json::object fields = {{"certificate", answer.certificate},
                         {"agents_ca", answer.agents_ca},
                         {"roots", std::move(roots)},
                         {"policy", answer.policy}};
  if (answer.freshness) fields["freshness"] = *answer.freshness;
  if (answer.grant) fields["grant"] = *answer.grant;
  return json::Write(fields);
}

Expected<EnrolToken> ReadEnrolToken(std::string_view text) {
  if (text.size() > kMaxTokenText) return Error(Errc::kMalformed, "enrolment token: too long");
  auto decoded = DecodeBase64Url(text);
  if (!decoded) return std::move(decoded).error().During("enrolment token");
  auto fields = json::ParseObject(*decoded);
  if (!fields) return std::move(fields).error().During("enrolment token");
  json::ObjectReader in(*fields, "enrolment token");
  EnrolToken token;
  token.api = in.String("api");
  token.pin = ReadExactly(in, "pin", kKeyBytes);
  token.org = ReadId<OrgId>(in, "org");
  token.secret = ReadExactly(in, "secret", kKeyBytes);
  if (!token.api.starts_with("https://")) in.Fail("api", "is not an https:// address");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return token;
}

std::string WriteEnrolToken(const EnrolToken& token) {
  return EncodeBase64Url(json::Write(json::object{{"api", token.api},
                                                  {"pin", EncodeBase64(token.pin)},
                                                  {"org", token.org.Text()},
                                                  {"secret", EncodeBase64(token.secret)}}));
}

}  // namespace mig
