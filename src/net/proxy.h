// HTTP proxies that let connections through (CONNECT, RFC 9110 section 9.3.6): which one to take to
// reach a host, as every role's configuration says it:
//   proxy: none                                   # the default
//   proxy: http://user:password@proxy.example.net:3128
//   proxy: environment                            # HTTPS_PROXY and NO_PROXY
// Pure but for ReadProxy. How one talks to a proxy: net/proxy_connect.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"
#include "util/settings.h"

namespace mig {

struct ProxyAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string user;  // empty: none is shown
  std::string password;

  // For logs: never with the password.
  std::string Text() const;
  bool operator==(const ProxyAddress&) const = default;
};

// "http://[user:password@]host:port", user and password percent-encoded. Error: kMalformed, which
// does not repeat the password.
Expected<ProxyAddress> ParseProxy(std::string_view url);

class ProxyChoice {
 public:
  ProxyChoice() = default;  // no proxy for anybody
  // That one for everybody.
  explicit ProxyChoice(ProxyAddress proxy) : proxy_(std::move(proxy)) {}
  // As curl and Go read the variables: `no_proxy` is a list of names, which stand for what is below
  // them too, of addresses and networks, each with a port or without; `*` is everybody. This
  // machine is reached without. Error: kMalformed.
  static Expected<ProxyChoice> FromVariables(std::string_view https_proxy,
                                             std::string_view no_proxy);

  // Null: none. Valid as long as the choice.
  const ProxyAddress* For(std::string_view host, std::uint16_t port) const;

 private:
  bool Excepts(std::string_view host, std::uint16_t port) const;

  std::optional<ProxyAddress> proxy_;
  bool spare_this_machine_ = false;
  std::vector<std::string> exceptions_;
};

// The key `proxy`. What is wrong is recorded in `settings` (see Finish).
ProxyChoice ReadProxy(Settings& settings);

}  // namespace mig
