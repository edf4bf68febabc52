// Hosts and ports as configurations write them, and `localhost` on machines without /etc/hosts,
// where a static executable's resolver asks the name servers, which do not know it (RFC 6761
// section 6.3 wants it answered without asking anybody).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

// "host:port", "10.0.0.1:8883", "[::1]:0"; without a port only where a default is given.
// Error: kMalformed.
Expected<HostPort> ParseHostPort(std::string_view text,
                                 std::optional<std::uint16_t> default_port = std::nullopt);

// Back to text, with brackets where they are needed.
std::string FormatHostPort(std::string_view host, std::uint16_t port);

// "localhost" and names below it, in any case.
bool IsLocalhost(std::string_view host);

// True for localhost, 127.0.0.0/8 and ::1.
bool IsLoopback(std::string_view host);

// The name or address to dial for `host`: itself, but 127.0.0.1 for a localhost that this machine's
// resolver does not know. Blocks, for localhost only and then hardly.
std::string DialHost(const std::string& host);

}  // namespace mig
