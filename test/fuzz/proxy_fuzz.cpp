// What stands between us and a relay behind an HTTP proxy: the proxy's address and the variables,
// as somebody wrote them, and what a proxy answers. The first byte says which.
#include "net/proxy.h"

#include <algorithm>
#include <cstdint>

#include "net/proxy_connect.h"
#include "test/fuzz/require.h"

namespace {

using namespace mig;
using fuzz::Require;

void Address(BytesView text) {
  const auto proxy = ParseProxy(text);
  if (!proxy) return;
  Require(proxy->port != 0 && !proxy->host.empty(), "a proxy without host or port");
  const auto again = ParseProxy(proxy->Text());
  Require(again.has_value() && again->host == proxy->host && again->port == proxy->port,
          "an address that does not read as itself");
  const Bytes request = ProxyRequest(*proxy, {"relay.example", 8883});
  Require(request.find("\r\n\r\n") == request.size() - 4, "an address that writes a request");
}

void Variables(BytesView text) {
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto choice = ProxyChoice::FromVariables(text.substr(0, line),
                                                 line == text.size() ? "" : text.substr(line + 1));
  if (!choice) return;
  for (const char* host : {"relay.example", "10.0.0.1", "2001:db8::1", ""}) choice->For(host, 8883);
  Require(choice->For("localhost", 8883) == nullptr, "this machine through a proxy");
}

void Answer(BytesView head) {
  const ProxyAddress proxy{"proxy", 3128, "user", "a password that nobody sees"};
  const auto answer = JudgeProxyAnswer(head, proxy, {"relay.example", 8883});
  if (answer) return Require(head.starts_with("HTTP/1."), "what is not HTTP let us through");
  const std::string& message = answer.error().message();
  Require(message.find("http://proxy:3128") != std::string::npos, "the proxy is not named");
  Require(message.size() < 2000, "a message without end");
  for (const char c : message) {
    Require(static_cast<unsigned char>(c) >= ' ' && c != '\x7f', "raw bytes for a log");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0]) {
    case 'a':
      Address(text);
      break;
    case 'v':
      Variables(text);
      break;
    default:
      Answer(text);
  }
  return 0;
}
