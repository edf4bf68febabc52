#include "net/http_message.h"

#include "util/encoding.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && LowerAscii(a) == LowerAscii(b);
}

}  // namespace

void HttpHeaders::Add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

std::string HttpHeaders::Get(std::string_view name) const {
  std::string joined;
  bool found = false;
  for (const auto& [field, value] : fields_) {
    if (!SameName(field, name)) continue;
    if (found) joined += ", ";
    joined += value;
    found = true;
  }
  return joined;
}

std::size_t HttpHeaders::Count(std::string_view name) const {
  std::size_t count = 0;
  for (const auto& [field, value] : fields_) count += SameName(field, name) ? 1 : 0;
  return count;
}

std::string_view HttpReason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

std::string HttpTarget::Get(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

Expected<HttpTarget> ParseHttpTarget(std::string_view target) {
  HttpTarget parsed;
  const auto mark = target.find('?');
  parsed.path = std::string(target.substr(0, mark));
  if (!parsed.path.starts_with('/')) {
    return Error(Errc::kMalformed, "the target is not a path that begins with /");
  }
  if (mark == std::string_view::npos) return parsed;
  for (const std::string_view pair : Split(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = DecodePercent(pair.substr(0, equals));
    if (!name) return std::move(name).error().During("query");
    auto value = DecodePercent(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!value) return std::move(value).error().During("query, `" + *name + "`");
    parsed.query.emplace_back(std::move(*name), std::move(*value));
  }
  return parsed;
}

Expected<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error(Errc::kMalformed, "a % without two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return Error(Errc::kMalformed, "a NUL");
    decoded += c;
  }
  return decoded;
}

std::string EncodePercent(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      const std::string hex = EncodeHex(std::string_view(&c, 1));
      encoded += '%';
      for (const char digit : hex) {
        encoded += static_cast<char>(digit >= 'a' ? digit - 'a' + 'A' : digit);
      }
    }
  }
  return encoded;
}

}  // namespace mig
