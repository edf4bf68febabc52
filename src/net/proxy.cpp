#include "net/proxy.h"

#include <algorithm>
#include <cstdlib>

#include "net/host.h"
#include "net/http_message.h"
#include "net/network.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::string_view kScheme = "http://";

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where both are set, the lower one counts, as for curl.
std::string Variable(const char* lower, const char* upper) {
  const std::string value = Variable(lower);
  return value.empty() ? Variable(upper) : value;
}

}  // namespace

std::string ProxyAddress::Text() const { return std::string(kScheme) + FormatHostPort(host, port); }

Expected<ProxyAddress> ParseProxy(std::string_view url) {
  const auto fail = [](const std::string& what) {
    return Error(Errc::kMalformed, "a proxy is http://[user:password@]host:port; " + what);
  };
  if (!LowerAscii(url.substr(0, kScheme.size())).starts_with(kScheme)) {
    return fail("this one does not begin with http://");
  }
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  ProxyAddress proxy;
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view shown = url.substr(0, at);
    url.remove_prefix(at + 1);
    const auto colon = shown.find(':');
    auto user = DecodePercent(shown.substr(0, colon));
    auto password = DecodePercent(colon == std::string_view::npos ? "" : shown.substr(colon + 1));
    // A colon ends the user's name where both are sent (RFC 7617 section 2).
    if (!user || !password || user->empty() || user->find(':') != std::string::npos) {
      return fail("in user and password, `%`, `@`, `:` and `/` are written %25, %40, %3A and %2F");
    }
    proxy.user = std::move(*user);
    proxy.password = std::move(*password);
  }
  auto address = ParseHostPort(url);
  if (!address || address->port == 0) return fail("`" + std::string(url) + "` is not host:port");
  proxy.host = std::move(address->host);
  proxy.port = address->port;
  return proxy;
}

Expected<ProxyChoice> ProxyChoice::FromVariables(std::string_view https_proxy,
                                                 std::string_view no_proxy) {
  ProxyChoice choice;
  if (https_proxy.empty()) return choice;
  // Both curl and Go take a proxy without its scheme.
  const bool bare = https_proxy.find("://") == std::string_view::npos;
  auto proxy =
      ParseProxy(bare ? std::string(kScheme) + std::string(https_proxy) : std::string(https_proxy));
  if (!proxy) return std::move(proxy).error().During("HTTPS_PROXY");
  choice.proxy_ = std::move(*proxy);
  choice.spare_this_machine_ = true;
  while (!no_proxy.empty()) {
    const auto end = std::min(no_proxy.find_first_of(", "), no_proxy.size());
    if (end > 0) choice.exceptions_.push_back(LowerAscii(no_proxy.substr(0, end)));
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return choice;
}

bool ProxyChoice::Excepts(std::string_view host, std::uint16_t port) const {
  if (spare_this_machine_ && IsLoopback(host)) return true;
  const std::string name = LowerAscii(host);
  const auto address = ParseAddress(name);
  return std::any_of(exceptions_.begin(), exceptions_.end(), [&](std::string_view exception) {
    if (exception == "*") return true;
    if (const auto network = Network::Parse(exception)) {
      return address.has_value() && network->Contains(*address);
    }
    if (const auto with_port = ParseHostPort(exception); with_port) {
      if (with_port->port != port) return false;
      exception = exception.substr(0, exception.rfind(':'));
      if (exception.starts_with('[')) exception = exception.substr(1, exception.size() - 2);
    }
    if (exception.starts_with("*.")) exception.remove_prefix(1);
    const bool dotted = exception.starts_with('.');
    const std::string_view bare = dotted ? exception.substr(1) : exception;
    return name == bare || (name.size() > bare.size() && name.ends_with(bare) &&
                            name[name.size() - bare.size() - 1] == '.');
  });
}

const ProxyAddress* ProxyChoice::For(std::string_view host, std::uint16_t port) const {
  return proxy_ && !Excepts(host, port) ? &*proxy_ : nullptr;
}

ProxyChoice ReadProxy(Settings& settings) {
  const std::string said = settings.String("proxy", "none");
  if (said == "none") return ProxyChoice();
  if (said == "environment") {
    auto choice = ProxyChoice::FromVariables(Variable("https_proxy", "HTTPS_PROXY"),
                                             Variable("no_proxy", "NO_PROXY"));
    if (choice) return std::move(*choice);
    settings.Fail("proxy", choice.error().message());
    return ProxyChoice();
  }
  auto proxy = ParseProxy(said);
  if (proxy) return ProxyChoice(std::move(*proxy));
  settings.Fail("proxy", "expected none, environment or a proxy: " + proxy.error().message());
  return ProxyChoice();
}

}  // namespace mig
