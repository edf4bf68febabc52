// The HTTPS client of the client verbs and of the agent: calls over one kept connection, and
// server-sent events over one of their own. The server is believed by its CA, given as a file or as
// the pin of its key, and only for the host that was called. Plain HTTP goes to loopback only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/http_message.h"
#include "net/proxy.h"
#include "net/sse_parser.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

struct HttpClientOptions {
  std::string url;      // "https://host[:port]", nothing behind
  std::string ca_file;  // PEM: whom the server must be signed by
  Bytes ca_pin;         // or SpkiPin() of that CA, which the server then sends along
  ProxyChoice proxy;
  std::chrono::milliseconds connect_timeout{10'000};  // name, TCP and TLS together
  std::chrono::milliseconds call_timeout{30'000};     // from the request to the end of the reply
  // An event stream that stays silent for so long is dead: the API comments every 15 s.
  std::chrono::milliseconds stream_silence{45'000};
  std::size_t max_reply_bytes = std::size_t{16} << 20;
};

// Errors of all functions: kInvalid for options that make no sense; kUnavailable when the server is
// not reachable or went away; kDenied when it is not the one we believe; kTimeout; kFull for a
// reply above the bound; kMalformed for what is not HTTP. A reply of any status is no error.

// For the client verbs: each call blocks. For one thread, Interrupt apart.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Expected<HttpReply> Call(HttpCall call);

  // Reads events until the server ends the stream, `on_event` returns false, or an error. The reply
  // is the stream's own: with status 200 its body is empty; with any other, no event was read.
  // After kUnavailable or kTimeout the caller may go on from the last event's id, with a new call
  // that carries Last-Event-ID.
  using OnEvent = std::function<bool(const SseEvent&)>;
  Expected<HttpReply> Stream(HttpCall call, OnEvent on_event);

  // Ends the call that is under way, or else the next one, with kUnavailable "interrupted". May be
  // called from a signal handler and from any thread.
  void Interrupt();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For roles that have an io_context: the same over it, without blocking. All on its thread.
class AsyncHttpClient {
 public:
  // Calls that wait for the one under way; beyond, `done` is given kFull.
  static constexpr std::size_t kMaxWaiting = 16;

  // `io` must outlive the client.
  AsyncHttpClient(boost::asio::io_context& io, HttpClientOptions options);
  ~AsyncHttpClient();  // afterwards no `done` is called
  AsyncHttpClient(const AsyncHttpClient&) = delete;
  AsyncHttpClient& operator=(const AsyncHttpClient&) = delete;

  // One after the other, in the order of the calls. `done` is never called from inside Call.
  using Done = std::function<void(Expected<HttpReply>)>;
  void Call(HttpCall call, Done done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace mig
