#include "net/host.h"

#include <netdb.h>

#include "util/text.h"

namespace mig {
namespace {

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// Names and IPv4 addresses, or the inside of [an IPv6 address]; never what would change the meaning
// of a URL or a Host field.
bool IsHost(std::string_view host, bool in_brackets) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '.' || c == '-' || c == '_') continue;
    if (!in_brackets || (c != ':' && c != '%')) return false;
  }
  return true;
}

}  // namespace

Expected<HostPort> ParseHostPort(std::string_view text, std::optional<std::uint16_t> default_port) {
  const auto fail = [&] {
    return Error(Errc::kMalformed, "`" + std::string(text.substr(0, 300)) +
                                       "` is not host:port, for example 127.0.0.1:8883 or "
                                       "[::1]:8883");
  };
  std::string_view host = text;
  std::optional<std::string_view> port;
  const bool in_brackets = text.starts_with('[');
  if (in_brackets) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return fail();
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return fail();
    if (!rest.empty()) port = rest.substr(1);
    if (host.find(':') == std::string_view::npos) return fail();
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!IsHost(host, in_brackets)) return fail();
  std::optional<std::uint16_t> number = port ? ParsePort(*port) : default_port;
  if (!number) return fail();
  return HostPort{std::string(host), *number};
}

std::string FormatHostPort(std::string_view host, std::uint16_t port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  std::string text;
  if (brackets) text += '[';
  text += host;
  if (brackets) text += ']';
  return text + ":" + std::to_string(port);
}

bool IsLocalhost(std::string_view host) {
  const std::string name = LowerAscii(host);
  return name == "localhost" || name.ends_with(".localhost");
}

bool IsLoopback(std::string_view host) {
  if (IsLocalhost(host) || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  for (const char c : host) {  // a name like 127.example.org is not an address
    if (c != '.' && (c < '0' || c > '9')) return false;
  }
  return true;
}

std::string DialHost(const std::string& host) {
  if (!IsLocalhost(host)) return host;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, nullptr, &found);
  if (found != nullptr) freeaddrinfo(found);
  return status == 0 ? host : "127.0.0.1";
}

}  // namespace mig
