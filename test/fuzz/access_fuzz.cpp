// What strangers send to the API before anybody knows them: session, enrolment, renewal; and what
// they get back, and the token.
#include <cstdint>

#include "proto/access.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  if (const auto session = mig::DecodeSessionRequest(text)) {
    Require(session->expireafter > session->validfrom &&
                session->expireafter - session->validfrom <= mig::kMaxSessionValidity,
            "a session is at most eight hours");
    Require(session->key.size() == 32, "a session's key has 32 bytes");
    Require(mig::DecodeSessionRequest(mig::EncodeSessionRequest(*session)).has_value(),
            "a session written is read");
  }
  if (const auto enrol = mig::DecodeEnrolRequest(text)) {
    Require(enrol->token.size() == 32 && enrol->key.size() == 32, "token and key have 32 bytes");
    Require(mig::DecodeEnrolRequest(mig::EncodeEnrolRequest(*enrol)).has_value(),
            "an enrolment written is read");
  }
  if (const auto renew = mig::DecodeRenewRequest(text)) {
    Require(mig::DecodeRenewRequest(mig::EncodeRenewRequest(*renew)).has_value(),
            "a renewal written is read");
  }
  if (const auto answer = mig::DecodeEnrolAnswer(text)) {
    Require(mig::DecodeEnrolAnswer(mig::EncodeEnrolAnswer(*answer)).has_value(),
            "an answer written is read");
  }
  if (const auto token = mig::ReadEnrolToken(text)) {
    const auto again = mig::ReadEnrolToken(mig::WriteEnrolToken(*token));
    Require(again && again->secret == token->secret && again->pin == token->pin,
            "a token survives its text");
  }
  return 0;
}
