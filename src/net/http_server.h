// An HTTP server, with TLS off loopback: routes, deadlines and bounds around Boost.Beast. Handlers
// get whole requests and answer when they can; a route may answer with server-sent events instead.
// One thread: the owner's io_context, on which handlers are called and on which they answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_message.h"
#include "os/files.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

struct HttpRequest {
  std::string method;
  std::string target;  // as received: "/v1/actions/x?limit=5"
  HttpTarget parsed;
  std::vector<std::string> parameters;  // what stood for each {…} of the route, decoded
  HttpHeaders headers;
  Bytes body;
  std::string peer;    // address, for logs
  std::string caller;  // whom the route's admission found; empty where it has none
};

// What becomes of a request whose head was read.
struct HttpAdmission {
  std::optional<HttpReply> refusal;  // without one, the body is read and the request is handled
  std::string caller;
};

// Server-sent events to one client (WHATWG HTML section 9.2). The connection goes away when the
// last pointer to this does, after what was written.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Sends text that holds whole events. One at a time: `done` is called when the next may come,
  // with false when the client is gone, after which nothing can be sent any more.
  using Done = std::function<void(bool open)>;
  virtual void Write(Bytes events, Done done) = 0;
  virtual bool open() const = 0;
};

// Where a handler answers, now or later, once. A handler that drops it answers 500.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual void Reply(HttpReply reply) = 0;
  virtual std::shared_ptr<EventSink> StartEvents() = 0;
};

struct HttpRoute {
  std::string method;
  std::string pattern;  // "/v1/actions/{id}/events": a {…} is one segment
  std::size_t max_body_bytes = 0;
  std::function<void(HttpRequest, std::shared_ptr<HttpExchange>)> handle;
  // Where set: asked with the head, before a byte of the body is read, so that strangers cannot
  // make us hold theirs. `answer` is called on the owner's thread, once; who never calls it has the
  // request answered 503 after the deadline.
  using Answer = std::function<void(HttpAdmission)>;
  std::function<void(HttpRequest head, Answer answer)> admit = {};
};

struct HttpServerOptions {
  std::string listen;                      // host:port; port 0: the kernel picks
  os::FileDescriptor socket;               // or a socket that listens already
  std::string certificate_file, key_file;  // both empty: plain HTTP, on a loopback address only
  std::size_t max_connections = 4096;
  std::size_t max_connections_per_address = 64;
  std::size_t max_header_bytes = 16 * 1024;
  std::chrono::milliseconds read_deadline{10'000};    // TLS handshake with head, and body
  std::chrono::milliseconds idle_deadline{60'000};    // for the next request
  std::chrono::milliseconds answer_deadline{60'000};  // for a handler
  std::chrono::milliseconds write_deadline{30'000};   // for a client that does not read
};

class HttpServer {
 public:
  // `io` must outlive the server. Errors: kInvalid for an address or route, kIo when it cannot be
  // bound, kDenied or kMalformed for certificate and key, kDenied without them off loopback.
  static Expected<std::unique_ptr<HttpServer>> Start(boost::asio::io_context& io,
                                                     HttpServerOptions options,
                                                     std::vector<HttpRoute> routes);
  ~HttpServer();  // closes every connection
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  // New connections use what the files hold now. On an error the old ones stay in use.
  Expected<void> ReloadCertificate();
  // Accepts nothing new and answers what is under way; connections close as they become idle.
  void Stop();
  std::size_t connections() const;

 private:
  struct Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// The route that a method and path mean, and its decoded parameters. Pure; for tests.
// `path_known` is set when some route has the path with another method (405 rather than 404).
const HttpRoute* MatchRoute(const std::vector<HttpRoute>& routes, std::string_view method,
                            std::string_view path, std::vector<std::string>* parameters,
                            bool* path_known);

// One event as text; `data` must not contain line breaks (kept an assert: JSON is one line).
Bytes FormatEvent(std::string_view event, std::string_view id, BytesView data);

}  // namespace mig
