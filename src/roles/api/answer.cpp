#include "roles/api/answer.h"

#include "util/text.h"

namespace mig::api {
namespace {

int StatusOf(Errc code) {
  switch (code) {
    case Errc::kMalformed:
    case Errc::kUnsupported:
    case Errc::kInvalid:
      return 400;
    case Errc::kDenied:
      return 403;
    case Errc::kExpired:
      return 403;
    case Errc::kNotFound:
      return 404;
    case Errc::kExists:
      return 409;
    case Errc::kFull:
    case Errc::kUnavailable:
    case Errc::kTimeout:
      return 503;
    case Errc::kIo:
    case Errc::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

Answer JsonAnswer(int status, const json::value& body) { return {status, json::Write(body)}; }

Answer ErrorAnswer(int status, std::string_view code, std::string_view message) {
  // Messages quote what clients sent; JSON must be UTF-8 whatever that was.
  const std::string text = IsUtf8(message) ? std::string(message) : EscapeForTerminal(message);
  return JsonAnswer(status,
                    json::object{{"error", json::object{{"code", code}, {"message", text}}}});
}

Answer ErrorAnswer(const Error& error) {
  return ErrorAnswer(StatusOf(error.code()), ErrcName(error.code()), error.message());
}

Answer RefusedAnswer(Refusal code, std::string_view detail) {
  return ErrorAnswer(403, RefusalCode(code), detail);
}

}  // namespace mig::api
