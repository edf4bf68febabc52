// HTTP requests and replies as values, for the client (net/http_client.h) and the server
// (net/http_server.h). No sockets, no parsing: Beast does that behind both.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

// Fields in order. Names compare without case (RFC 9110 section 5.1).
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields)
      : fields_(fields) {}

  void Add(std::string name, std::string value);
  // The value of the only field of that name; empty when there is none. Several fields of one name
  // are joined with ", " (RFC 9110 section 5.3).
  std::string Get(std::string_view name) const;
  std::size_t Count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpCall {
  std::string method = "GET";
  std::string target = "/";  // origin form: "/v1/actions?limit=20"
  HttpHeaders headers;       // Host, Content-Length and Connection are added
  Bytes body;
};

struct HttpReply {
  int status = 0;
  HttpHeaders headers;
  Bytes body;
};

// "Not Found" for 404; empty for what we never send.
std::string_view HttpReason(int status);

// A path of a target, cut off its query, and the query's pairs with percent encoding undone, in
// order. Error: kMalformed (a bad escape, a NUL).
struct HttpTarget {
  std::string path;  // still encoded: segments are decoded one by one
  std::vector<std::pair<std::string, std::string>> query;

  // The first of that name; empty when there is none.
  std::string Get(std::string_view name) const;
};
Expected<HttpTarget> ParseHttpTarget(std::string_view target);
Expected<std::string> DecodePercent(std::string_view text);
// Everything but unreserved characters (RFC 3986 section 2.3) encoded.
std::string EncodePercent(std::string_view text);

}  // namespace mig
