#include "net/proxy.h"

#include <catch2/catch.hpp>

#include "net/proxy_connect.h"

namespace mig {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("proxy: an address with and without a user", "[net]") {
  auto proxy = ParseProxy("http://proxy.example.net:3128");
  REQUIRE(proxy);
  CHECK(*proxy == ProxyAddress{"proxy.example.net", 3128, "", ""});
  proxy = ParseProxy("HTTP://us%65r:p%40ss%3A%2F@[2001:db8::1]:8080/");
  REQUIRE(proxy);
  CHECK(*proxy == ProxyAddress{"2001:db8::1", 8080, "user", "p@ss:/"});
  CHECK(proxy->Text() == "http://[2001:db8::1]:8080");
  CHECK(ParseProxy("http://user@p:1")->password.empty());
  CHECK(ParseProxy("http://user:a@b@p:1")->password == "a@b");
}

TEST_CASE("proxy: what is no address is refused, without telling the password", "[net]") {
  for (const char* wrong :
       {"", "proxy:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy", "http://:1",
        "http://proxy:0", "http://proxy:99999", "http://proxy:3128/path", "http://pro xy:1",
        "http://:secret@proxy:1", "http://us%3Aer:secret@proxy:1", "http://u:secret%zz@proxy:1",
        "http://u:secret@proxy", "http://u:secret%00@proxy:1"}) {
    INFO(wrong);
    const auto proxy = ParseProxy(wrong);
    REQUIRE_FALSE(proxy);
    CHECK_THAT(proxy.error().message(), !Contains("secret"));
    CHECK_THAT(proxy.error().message(), Contains("http://[user:password@]host:port"));
  }
}

TEST_CASE("proxy: the variables name one for all but their exceptions and this machine", "[net]") {
  const auto choice =
      ProxyChoice::FromVariables("http://proxy:3128",
                                 " example.net, .corp.example,*.lab.example ,192.0.2.7,10.0.0.0/8,"
                                 "2001:db8::/32,relay.example.org:8883");
  REQUIRE(choice);
  const auto direct = [&](std::string_view host, std::uint16_t port = 8883) {
    return choice->For(host, port) == nullptr;
  };
  CHECK_FALSE(direct("other.example"));
  CHECK(direct("localhost"));
  CHECK(direct("127.0.0.9"));
  CHECK(direct("::1"));
  CHECK(direct("example.net"));
  CHECK(direct("a.b.EXAMPLE.net"));
  CHECK_FALSE(direct("notexample.net"));
  CHECK_FALSE(direct("example.net.evil"));
  CHECK(direct("x.corp.example"));
  CHECK(direct("x.lab.example"));
  CHECK_FALSE(direct("xlab.example"));
  CHECK(direct("192.0.2.7"));
  CHECK_FALSE(direct("192.0.2.70"));
  CHECK(direct("10.200.0.1"));
  CHECK_FALSE(direct("10.example"));
  CHECK(direct("2001:db8:1::1"));
  CHECK(direct("relay.example.org", 8883));
  CHECK_FALSE(direct("relay.example.org", 443));
  CHECK(ProxyChoice::FromVariables("http://proxy:3128", "*")->For("a", 1) == nullptr);
  CHECK(ProxyChoice::FromVariables("", "")->For("a", 1) == nullptr);
  CHECK(ProxyChoice::FromVariables("proxy:3128", "")->For("a", 1)->host == "proxy");
  CHECK_FALSE(ProxyChoice::FromVariables("socks5://proxy:1080", ""));
}

TEST_CASE("proxy: one that the configuration names is for everybody", "[net]") {
  const ProxyChoice choice(*ParseProxy("http://proxy:3128"));
  CHECK(choice.For("localhost", 1) != nullptr);
  CHECK(ProxyChoice().For("a", 1) == nullptr);
}

TEST_CASE("proxy: the key says none, environment, or one", "[net]") {
  const auto read = [](const std::string& text) {
    auto settings = Settings::Parse(text, "agent.yaml").value();
    const ProxyChoice choice = ReadProxy(settings);
    const auto ok = settings.Finish();
    if (!ok) return ok.error().message();
    const ProxyAddress* proxy = choice.For("relay.example", 8883);
    return proxy == nullptr ? std::string("none") : proxy->Text();
  };
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"}) {
    unsetenv(name);
  }
  CHECK(read("") == "none");
  CHECK(read("proxy: none\n") == "none");
  CHECK(read("proxy: environment\n") == "none");
  CHECK(read("proxy: http://u:p@proxy:3128\n") == "http://proxy:3128");
  CHECK_THAT(read("proxy: proxy:3128\n"), Contains("agent.yaml:1: proxy: expected none"));
  setenv("HTTPS_PROXY", "http://env:3128", 1);
  CHECK(read("proxy: environment\n") == "http://env:3128");
  CHECK(read("") == "none");  // only when it is asked for
  setenv("NO_PROXY", ".example", 1);
  CHECK(read("proxy: environment\n") == "none");
  setenv("HTTPS_PROXY", "socks5://env:1080", 1);
  CHECK_THAT(read("proxy: environment\n"), Contains("HTTPS_PROXY"));
  unsetenv("HTTPS_PROXY");
  unsetenv("NO_PROXY");
}

TEST_CASE("proxy: the request names where it is to go, and shows who asks", "[net]") {
  const Bytes request = ProxyRequest({"proxy", 3128, "user", "p@ss"}, {"2001:db8::1", 8883});
  CHECK_THAT(request, Catch::StartsWith("CONNECT [2001:db8::1]:8883 HTTP/1.1\r\n"
                                        "Host: [2001:db8::1]:8883\r\n"));
  CHECK_THAT(request, Contains("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"));
  CHECK_THAT(ProxyRequest({"proxy", 3128, "", ""}, {"relay", 8883}),
             !Contains("Authorization") && Catch::EndsWith("\r\n\r\n"));
}

TEST_CASE("proxy: each refusal names the proxy, the target, and what to do", "[net]") {
  const ProxyAddress open{"proxy", 3128, "", ""}, known{"proxy", 3128, "user", "secret"};
  const auto told = [](const std::string& head, const ProxyAddress& proxy) {
    const auto answer = JudgeProxyAnswer(head, proxy, {"relay.example", 8883});
    if (answer) return std::string("through");
    CHECK_THAT(answer.error().message(), Contains("http://proxy:3128") && !Contains("secret"));
    return answer.error().message();
  };
  CHECK(told("HTTP/1.1 200 Connection established\r\n\r\n", open) == "through");
  CHECK(told("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nVia: x\r\n\r\n", open) == "through");
  const std::string login = "HTTP/1.1 407 Auth\r\nProxy-Authenticate: ";
  CHECK_THAT(
      told(login + "Basic realm=\"x\"\r\n\r\n", open),
      Contains("write them into the configuration, as proxy: http://user:password@proxy:3128"));
  CHECK_THAT(told(login + "Basic realm=\"x\"\r\n\r\n", known), Contains("password of user `user`"));
  CHECK_THAT(told(login + "Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n", open),
             Contains("log in by Negotiate, NTLM; only Basic is supported"));
  CHECK_THAT(told("HTTP/1.1 403 Forbidden\r\n\r\n", open),
             Contains("does not allow connections to relay.example:8883 (403 Forbidden)") &&
                 Contains("allow CONNECT"));
  CHECK_THAT(told("HTTP/1.1 502 \xc2\x9b" "2J\r\n\r\n", open),
             Contains("cannot reach relay.example:8883") && !Contains("\xc2\x9b"));
  CHECK_THAT(told("HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", open),
             Contains("with 302 Found"));
  for (const char* other :
       {"", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 2000\r\n\r\n"}) {
    CHECK_THAT(told(other, open), Contains("does not answer as an HTTP proxy does"));
  }
}

}  // namespace
}  // namespace mig
