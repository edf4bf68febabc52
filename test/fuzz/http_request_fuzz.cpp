// A request as the API reads it, from the bytes of a connection to what its routes, signature and
// stream cursor are taken from: Beast's parser, set up as net/http_server.cpp does, and our own
// behind it.
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <optional>

#include "net/http_server.h"
#include "net/http_signature.h"
#include "roles/api/event_streams.h"
#include "test/fuzz/require.h"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using namespace mig;
using fuzz::Require;

const std::vector<HttpRoute>& Routes() {
  static const std::vector<HttpRoute> routes = {{"GET", "/v1/actions", 0, {}},
                                                {"POST", "/v1/actions", 1000, {}},
                                                {"GET", "/v1/actions/{id}/events", 0, {}}};
  return routes;
}

std::optional<http::request<http::string_body>> Parse(BytesView bytes) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(16 * 1024);
  parser.body_limit(64 * 1024);
  parser.eager(true);
  boost::system::error_code error;
  while (!bytes.empty() && !parser.is_done()) {
    const std::size_t used = parser.put(asio::buffer(bytes.data(), bytes.size()), error);
    if (error || used == 0) return std::nullopt;
    bytes.remove_prefix(used);
  }
  if (!parser.is_done()) return std::nullopt;
  return parser.release();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  const auto request = Parse(bytes);
  if (!request) return 0;
  const auto target = ParseHttpTarget(std::string_view(request->target()));
  if (target) {
    std::vector<std::string> parameters;
    bool path_known = false;
    const HttpRoute* route = MatchRoute(Routes(), std::string(request->method_string()),
                                        target->path, &parameters, &path_known);
    Require(route == nullptr || path_known, "a route that fits has its path");
    for (const std::string& parameter : parameters) {
      Require(!parameter.empty() && parameter.find('\0') == std::string::npos, "a segment is text");
    }
  }
  HttpHeaders headers;
  for (const auto& field : *request) {
    headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  const auto nobody = [](std::string_view) { return std::optional<PublicKey>(); };
  const std::string uri = "https://" + headers.Get("Host") + std::string(request->target());
  Require(!VerifySignedRequest(std::string(request->method_string()), uri, headers, request->body(),
                               nobody),
          "without a key nothing is signed");
  if (const auto cursor = api::StreamCursor::Parse(headers.Get("Last-Event-ID"))) {
    Require(api::StreamCursor::Parse(cursor->Text()).value() == *cursor,
            "a cursor survives its text");
  }
  return 0;
}
