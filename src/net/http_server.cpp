#include "net/http_server.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <cassert>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "net/host.h"
#include "net/http_stream.h"
#include "util/log.h"
#include "util/text.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Stream = HttpStream;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::chrono::milliseconds kAcceptPause{200};  // after EMFILE and the like
constexpr std::chrono::milliseconds kCloseDeadline{2'000};
constexpr std::size_t kMaxUnread = std::size_t{4} << 20;

// A value that one coroutine waits for and somebody else sets, once.
template <typename T>
class Slot {
 public:
  explicit Slot(const asio::any_io_executor& executor) : timer_(executor) {
    timer_.expires_at(asio::steady_timer::time_point::max());
  }
  void Set(T value) {
    value_ = std::move(value);
    timer_.cancel();
  }
  bool is_set() const { return value_.has_value(); }
  T Take() { return std::move(*value_); }

  // Waits until it is set or `limit` has passed.
  asio::awaitable<void> Wait(std::chrono::milliseconds limit) {
    if (value_) co_return;
    if (limit.count() > 0) timer_.expires_after(limit);
    co_await timer_.async_wait(kAwait);
  }

 private:
  asio::steady_timer timer_;
  std::optional<T> value_;
};

struct EventChunk {
  Bytes text;
  EventSink::Done done;
};

// What a connection's coroutine and the handler's side share of one exchange.
struct ExchangeState {
  explicit ExchangeState(const asio::any_io_executor& executor) : answered(executor) {}

  struct Events {};
  using Outcome = std::variant<HttpReply, Events>;
  Slot<Outcome> answered;

  // Streaming: one chunk at most; the sink's end of life ends the stream.
  std::unique_ptr<Slot<std::optional<EventChunk>>> next_chunk;
  bool open = true;
};

class Sink : public EventSink {
 public:
  Sink(std::shared_ptr<ExchangeState> state, asio::any_io_executor executor)
      : state_(std::move(state)), executor_(std::move(executor)) {
    state_->next_chunk = std::make_unique<Slot<std::optional<EventChunk>>>(executor_);
  }
  ~Sink() override {
    if (state_->next_chunk && !state_->next_chunk->is_set()) state_->next_chunk->Set(std::nullopt);
  }
  void Write(Bytes events, Done done) override {
    if (!state_->open) {
      asio::post(executor_, [done = std::move(done)] { done(false); });
      return;
    }
    assert(!state_->next_chunk->is_set() && "one write at a time");
    state_->next_chunk->Set(EventChunk{std::move(events), std::move(done)});
  }
  bool open() const override { return state_->open; }

 private:
  std::shared_ptr<ExchangeState> state_;
  asio::any_io_executor executor_;
};

class Exchange : public HttpExchange {
 public:
  Exchange(std::shared_ptr<ExchangeState> state, asio::any_io_executor executor)
      : state_(std::move(state)), executor_(std::move(executor)) {}
  ~Exchange() override {
    if (!answered_) Reply(HttpReply{500, {}, {}});
  }
  void Reply(HttpReply reply) override {
    assert(!answered_ && "an exchange is answered once");
    answered_ = true;
    state_->answered.Set(std::move(reply));
  }
  std::shared_ptr<EventSink> StartEvents() override {
    assert(!answered_ && "an exchange is answered once");
    answered_ = true;
    auto sink = std::make_shared<Sink>(state_, executor_);
    state_->answered.Set(ExchangeState::Events{});
    return sink;
  }

 private:
  std::shared_ptr<ExchangeState> state_;
  asio::any_io_executor executor_;
  bool answered_ = false;
};

Bytes ErrorBody(std::string_view code, std::string_view message) {
  return "{\"error\":{\"code\":\"" + std::string(code) + "\",\"message\":\"" +
         std::string(message) + "\"}}";
}

HttpReply ErrorReply(int status, std::string_view code, std::string_view message) {
  return {status, {{"Content-Type", "application/json"}}, ErrorBody(code, message)};
}

// Without the body, and so without what a chunked one's trailer would add to the fields.
HttpRequest HeadOf(const http::request<http::string_body>& from, std::string peer) {
  HttpRequest request;
  request.method = std::string(from.method_string());
  request.target = std::string(from.target());
  for (const auto& field : from) {
    request.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  request.peer = std::move(peer);
  return request;
}

// Null for a server without TLS.
Expected<std::shared_ptr<asio::ssl::context>> MakeContext(const HttpServerOptions& options) {
  if (options.certificate_file.empty()) return std::shared_ptr<asio::ssl::context>();
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  context->use_certificate_chain_file(options.certificate_file, error);
  if (error) {
    return Error(Errc::kIo, options.certificate_file + ": " + error.message());
  }
  context->use_private_key_file(options.key_file, asio::ssl::context::pem, error);
  if (error) return Error(Errc::kIo, options.key_file + ": " + error.message());
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error(Errc::kInvalid,
                 options.key_file + ": is not the key of " + options.certificate_file);
  }
  return context;
}

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& io_context, HttpServerOptions server_options,
       std::vector<HttpRoute> server_routes)
      : io(io_context),
        options(std::move(server_options)),
        routes(std::move(server_routes)),
        acceptor(io_context) {}

  asio::io_context& io;
  HttpServerOptions options;
  std::vector<HttpRoute> routes;
  tcp::acceptor acceptor;
  std::shared_ptr<asio::ssl::context> context;
  bool stopping = false;
  bool destroyed = false;  // and with the server what handlers refer to
  std::map<std::string, std::size_t> per_address;
  std::set<Stream*> open;  // for the destructor and for Stop
  std::set<Stream*> idle;  // between requests

  // Both are given what keeps this alive: a coroutine begins later than it is made.
  asio::awaitable<void> Accept(std::shared_ptr<Impl> self);
  asio::awaitable<void> Serve(std::shared_ptr<Impl> self, tcp::socket socket, std::string peer);
  asio::awaitable<bool> ServeOne(Stream& stream, beast::flat_buffer& buffer,
                                 const std::string& peer, bool first);
  asio::awaitable<bool> Write(Stream& stream, HttpReply reply, unsigned version, bool keep_alive);
  asio::awaitable<bool> WriteHead(Stream& stream, HttpReply reply, unsigned version,
                                  bool keep_alive);
  asio::awaitable<bool> Refuse(Stream& stream, unsigned version, int status, std::string_view code,
                               std::string_view message);
  asio::awaitable<void> Close(Stream& stream);
  asio::awaitable<void> WriteEvents(Stream& stream, std::shared_ptr<ExchangeState> state);
  asio::awaitable<void> WatchForEnd(Stream& stream, std::shared_ptr<ExchangeState> state);
};

asio::awaitable<void> HttpServer::Impl::Accept(std::shared_ptr<Impl> self) {
  while (!stopping) {
    tcp::socket socket(io);
    auto [error] = co_await acceptor.async_accept(socket, kAwait);
    if (error == asio::error::operation_aborted || stopping) co_return;
    if (error) {
      // Out of descriptors or memory: those waiting stay in the backlog meanwhile.
      log::Warning("accept failed", {{"error", error.message()}});
      asio::steady_timer pause(io, kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    boost::system::error_code ignored_by_design;
    const auto endpoint = socket.remote_endpoint(ignored_by_design);
    if (ignored_by_design) continue;  // gone before we looked
    const std::string peer = endpoint.address().to_string();
    const auto from_there = per_address.find(peer);
    if (open.size() >= options.max_connections ||
        (from_there != per_address.end() &&
         from_there->second >= options.max_connections_per_address &&
         !endpoint.address().is_loopback())) {
      log::Debug("connection refused: too many", {{"peer", peer}});
      continue;  // closing is the answer: a reply would first cost a TLS handshake
    }
    socket.set_option(tcp::no_delay(true), ignored_by_design);
    ++per_address[peer];
    asio::co_spawn(io, Serve(self, std::move(socket), peer), asio::detached);
  }
}

asio::awaitable<void> HttpServer::Impl::Serve(std::shared_ptr<Impl> /*self*/, tcp::socket socket,
                                              std::string peer) {
  const auto tls = context;  // stays this connection's when the certificate is reloaded
  Stream stream(std::move(socket), tls.get());
  open.insert(&stream);
  struct Leave {
    Impl& impl;
    Stream* stream;
    const std::string& peer;
    ~Leave() {
      impl.open.erase(stream);
      impl.idle.erase(stream);
      if (--impl.per_address[peer] == 0) impl.per_address.erase(peer);
    }
  } const leave{*this, &stream, peer};

  stream.tcp().expires_after(options.read_deadline);
  if (stream.is_tls()) {
    auto [error] = co_await stream.tls().async_handshake(asio::ssl::stream_base::server, kAwait);
    if (error) {
      log::Debug("TLS handshake failed", {{"peer", peer}, {"error", error.message()}});
      co_return;
    }
  }
  beast::flat_buffer buffer;
  bool first = true;
  while (co_await ServeOne(stream, buffer, peer, first)) first = false;
  co_await Close(stream);
}

// Says good-bye, and reads what the client is still sending: to close with bytes unread would reset
// the connection, and our answer with it (RFC 9112 section 9.6).
asio::awaitable<void> HttpServer::Impl::Close(Stream& stream) {
  auto& lowest = stream.tcp();
  lowest.expires_after(kCloseDeadline);
  if (stream.is_tls()) co_await stream.tls().async_shutdown(kAwait);
  boost::system::error_code gone;
  lowest.socket().shutdown(tcp::socket::shutdown_send, gone);
  std::array<char, 4096> unread;
  for (std::size_t total = 0; !gone && total < kMaxUnread;) {
    auto [error, bytes] = co_await lowest.async_read_some(asio::buffer(unread), kAwait);
    gone = error;
    total += bytes;
  }
}

// One request and its answer. False: the connection ends.
asio::awaitable<bool> HttpServer::Impl::ServeOne(Stream& stream, beast::flat_buffer& buffer,
                                                 const std::string& peer, bool first) {
  if (stopping) co_return false;
  auto& lowest = stream.tcp();
  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  parser.body_limit(boost::none);  // checked below, when the route is known
  parser.eager(false);
  if (first) {
    // The handshake's deadline goes on: TLS and the first head together.
  } else {
    lowest.expires_after(options.idle_deadline);
    idle.insert(&stream);
  }
  auto [head_error, head_bytes] = co_await http::async_read_header(stream, buffer, parser, kAwait);
  idle.erase(&stream);
  if (head_error) {
    const bool quiet = head_error == http::error::end_of_stream ||
                       head_error == beast::error::timeout ||
                       head_error == asio::ssl::error::stream_truncated ||
                       head_error.category() == asio::error::get_system_category() ||
                       head_error.category() == asio::error::get_ssl_category();
    if (quiet) co_return false;
    const int status = head_error == http::error::header_limit ? 431 : 400;
    co_return co_await Refuse(stream, 11, status, "malformed", "this is not an HTTP request");
  }
  const unsigned version = parser.get().version();

  std::vector<std::string> parameters;
  bool path_known = false;
  const std::string method(parser.get().method_string());
  auto target = ParseHttpTarget(std::string_view(parser.get().target()));
  if (!target) {
    co_return co_await Refuse(stream, version, 400, "malformed",
                              "the request's target is not a path");
  }
  const std::string path = target->path;
  const HttpRoute* route = MatchRoute(routes, method, path, &parameters, &path_known);
  if (route == nullptr) {
    // The body was not read, so nothing can follow it.
    if (path_known) {
      co_return co_await Refuse(stream, version, 405, "method", "this path has no such method");
    }
    co_return co_await Refuse(stream, version, 404, "not_found", "there is no such path");
  }

  // Beast compares an announced length with its limit in the head only, and afterwards reserves
  // what was announced.
  if (parser.content_length() && *parser.content_length() > route->max_body_bytes) {
    co_return co_await Refuse(stream, version, 413, "full", "the body is too large for this path");
  }
  parser.body_limit(route->max_body_bytes);
  lowest.expires_after(options.read_deadline);
  const bool keep_alive = parser.get().keep_alive();
  const auto executor = co_await asio::this_coro::executor;
  HttpRequest request = HeadOf(parser.get(), peer);
  request.parsed = std::move(*target);
  request.parameters = std::move(parameters);
  if (destroyed) co_return false;
  if (route->admit) {
    auto verdict = std::make_shared<Slot<HttpAdmission>>(executor);
    HttpRequest asked = request;
    route->admit(std::move(asked),
                 [verdict](HttpAdmission admission) { verdict->Set(std::move(admission)); });
    co_await verdict->Wait(options.answer_deadline);
    if (!verdict->is_set()) {
      log::Warning("no answer within the deadline", {{"method", method}, {"path", path}});
      co_return co_await Refuse(stream, version, 503, "timeout", "this takes too long; try again");
    }
    HttpAdmission admission = verdict->Take();
    if (admission.refusal) {
      // With a body unread, nothing can follow.
      const bool go_on = keep_alive && parser.is_done() && !stopping;
      if (method == "HEAD") {
        co_return co_await WriteHead(stream, std::move(*admission.refusal), version, go_on);
      }
      co_return co_await Write(stream, std::move(*admission.refusal), version, go_on);
    }
    request.caller = std::move(admission.caller);
    lowest.expires_after(options.read_deadline);
  }
  const auto& expect = parser.get()[http::field::expect];
  if (beast::iequals(expect, "100-continue")) {
    auto [error, bytes] = co_await asio::async_write(
        stream, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), kAwait);
    if (error) co_return false;
  }
  auto [body_error, body_bytes] = co_await http::async_read(stream, buffer, parser, kAwait);
  if (body_error) {
    if (body_error == http::error::body_limit) {
      co_await Refuse(stream, version, 413, "full", "the body is too large for this path");
    } else if (body_error.category() == http::make_error_code(http::error::bad_chunk).category() &&
               body_error != http::error::partial_message) {
      co_await Refuse(stream, version, 400, "malformed", "the body is not what the head says");
    }
    co_return false;
  }

  if (destroyed) co_return false;
  request.body = std::move(parser.get().body());
  auto state = std::make_shared<ExchangeState>(executor);
  lowest.expires_never();
  try {
    route->handle(std::move(request), std::make_shared<Exchange>(state, executor));
  } catch (const std::exception& e) {  // a bug, or no memory: for this request only
    log::Error("a handler failed", {{"method", method}, {"path", path}, {"error", e.what()}});
  }
  co_await state->answered.Wait(options.answer_deadline);
  if (!state->answered.is_set()) {
    log::Warning("no answer within the deadline", {{"method", method}, {"path", path}});
    co_return co_await Refuse(stream, version, 503, "timeout", "this takes too long; try again");
  }
  auto outcome = state->answered.Take();
  if (auto* reply = std::get_if<HttpReply>(&outcome)) {
    if (method == "HEAD") {
      co_return co_await WriteHead(stream, std::move(*reply), version, keep_alive && !stopping);
    }
    co_return co_await Write(stream, std::move(*reply), version, keep_alive && !stopping);
  }
  co_await WriteEvents(stream, state);
  co_return false;
}

// The last word on a connection: false. Texts are literals. The reply is a variable because GCC 12
// destroys temporaries of a co_await expression twice when ?: chooses among them.
asio::awaitable<bool> HttpServer::Impl::Refuse(Stream& stream, unsigned version, int status,
                                               std::string_view code, std::string_view message) {
  HttpReply reply = ErrorReply(status, code, message);
  co_await Write(stream, std::move(reply), version, false);
  co_return false;
}

asio::awaitable<bool> HttpServer::Impl::Write(Stream& stream, HttpReply reply, unsigned version,
                                              bool keep_alive) {
  http::response<http::string_body> response(static_cast<http::status>(reply.status), version);
  for (const auto& [name, value] : reply.headers) response.insert(name, value);
  response.body() = std::move(reply.body);
  response.keep_alive(keep_alive);
  response.prepare_payload();
  stream.tcp().expires_after(options.write_deadline);
  auto [error, bytes] = co_await http::async_write(stream, response, kAwait);
  co_return !error && keep_alive;
}

// The answer to HEAD: what GET would say, without the body. The handler may give the length of a
// body that it did not make.
asio::awaitable<bool> HttpServer::Impl::WriteHead(Stream& stream, HttpReply reply, unsigned version,
                                                  bool keep_alive) {
  http::response<http::empty_body> response(static_cast<http::status>(reply.status), version);
  if (reply.headers.Count("Content-Length") == 0) response.content_length(reply.body.size());
  for (const auto& [name, value] : reply.headers) response.insert(name, value);
  response.keep_alive(keep_alive);
  stream.tcp().expires_after(options.write_deadline);
  auto [error, bytes] = co_await http::async_write(stream, response, kAwait);
  co_return !error && keep_alive;
}

// A client that goes away is seen by reading: it has nothing more to say on this connection.
asio::awaitable<void> HttpServer::Impl::WatchForEnd(Stream& stream,
                                                    std::shared_ptr<ExchangeState> state) {
  std::array<char, 512> unwanted{};
  for (;;) {
    auto [error, bytes] = co_await stream.async_read_some(asio::buffer(unwanted), kAwait);
    if (error || !state->open) break;
  }
  state->open = false;
  if (state->next_chunk && !state->next_chunk->is_set()) state->next_chunk->Set(std::nullopt);
}

asio::awaitable<void> HttpServer::Impl::WriteEvents(Stream& stream,
                                                    std::shared_ptr<ExchangeState> state) {
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  auto& lowest = stream.tcp();
  lowest.expires_after(options.write_deadline);
  auto [head_error, head_bytes] = co_await asio::async_write(stream, asio::buffer(head), kAwait);
  bool open_still = !head_error;
  lowest.expires_never();

  // The watcher reads beside our writes; both must be done before the stream goes.
  Slot<bool> watcher_done(co_await asio::this_coro::executor);
  asio::co_spawn(
      co_await asio::this_coro::executor,
      [](Impl& impl, Stream& watched, std::shared_ptr<ExchangeState> shared,
         Slot<bool>& done) -> asio::awaitable<void> {
        co_await impl.WatchForEnd(watched, shared);
        done.Set(true);
      }(*this, stream, state, watcher_done),
      asio::detached);

  while (open_still && state->open && !stopping) {
    co_await state->next_chunk->Wait(std::chrono::milliseconds(0));
    if (!state->next_chunk->is_set()) break;
    std::optional<EventChunk> chunk = state->next_chunk->Take();
    state->next_chunk =
        std::make_unique<Slot<std::optional<EventChunk>>>(co_await asio::this_coro::executor);
    if (!chunk) break;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk->text.size());
    const std::array<asio::const_buffer, 3> buffers = {asio::buffer(std::string_view(size)),
                                                       asio::buffer(chunk->text),
                                                       asio::buffer(std::string_view("\r\n"))};
    lowest.expires_after(options.write_deadline);
    auto [error, bytes] = co_await asio::async_write(stream, buffers, kAwait);
    lowest.expires_never();
    open_still = !error && state->open;
    if (!open_still) state->open = false;
    chunk->done(open_still);
  }
  if (open_still && state->open) {
    lowest.expires_after(options.write_deadline);
    co_await asio::async_write(stream, asio::buffer(std::string_view("0\r\n\r\n")), kAwait);
  }
  state->open = false;
  if (state->next_chunk->is_set()) {
    if (auto chunk = state->next_chunk->Take()) chunk->done(false);
  }
  lowest.socket().shutdown(tcp::socket::shutdown_send, head_error);
  lowest.expires_after(kCloseDeadline);
  co_await watcher_done.Wait(kCloseDeadline);
  if (!watcher_done.is_set()) {
    lowest.cancel();
    co_await watcher_done.Wait(std::chrono::milliseconds(0));
  }
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Expected<std::unique_ptr<HttpServer>> HttpServer::Start(asio::io_context& io,
                                                        HttpServerOptions options,
                                                        std::vector<HttpRoute> routes) {
  auto impl = std::make_shared<Impl>(io, std::move(options), std::move(routes));
  auto context = MakeContext(impl->options);
  if (!context) return std::move(context).error();
  impl->context = std::move(*context);

  boost::system::error_code error;
  if (impl->options.socket.valid()) {
    // Whether it is v4 or v6 matters to no call we make on it.
    impl->acceptor.assign(tcp::v4(), impl->options.socket.Release(), error);
  } else {
    auto endpoint = ParseHostPort(impl->options.listen);
    if (!endpoint) return std::move(endpoint).error();
    const tcp::endpoint address(asio::ip::make_address(endpoint->host, error), endpoint->port);
    if (!error) impl->acceptor.open(address.protocol(), error);
    if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) impl->acceptor.bind(address, error);
    if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return Error(Errc::kIo, "listen on " + impl->options.listen + ": " + error.message());
  }
  if (!impl->context && !impl->acceptor.local_endpoint(error).address().is_loopback()) {
    return Error(Errc::kDenied,
                 "without a certificate, only a loopback address is listened on, not " +
                     impl->options.listen);
  }
  asio::co_spawn(io, impl->Accept(impl), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
  impl_->destroyed = true;
  Stop();
  for (Stream* stream : impl_->open) stream->tcp().cancel();
}

std::uint16_t HttpServer::port() const {
  boost::system::error_code error;
  const auto endpoint = impl_->acceptor.local_endpoint(error);
  return error ? std::uint16_t{0} : endpoint.port();
}

Expected<void> HttpServer::ReloadCertificate() {
  auto context = MakeContext(impl_->options);
  if (!context) return std::move(context).error();
  impl_->context = std::move(*context);
  return {};
}

void HttpServer::Stop() {
  if (impl_->stopping) return;
  impl_->stopping = true;
  boost::system::error_code error;
  impl_->acceptor.close(error);
  if (error) log::Warning("closing the listening socket", {{"error", error.message()}});
  for (Stream* stream : impl_->idle) stream->tcp().cancel();
}

std::size_t HttpServer::connections() const { return impl_->open.size(); }

const HttpRoute* MatchRoute(const std::vector<HttpRoute>& routes, std::string_view method,
                            std::string_view path, std::vector<std::string>* parameters,
                            bool* path_known) {
  const auto segments = Split(path, '/');
  *path_known = false;
  for (const HttpRoute& route : routes) {
    const auto wanted = Split(route.pattern, '/');
    if (wanted.size() != segments.size()) continue;
    std::vector<std::string> found;
    bool fits = true;
    for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
      if (wanted[i].starts_with('{')) {
        auto decoded = DecodePercent(segments[i]);
        fits = decoded && !decoded->empty();
        if (fits) found.push_back(std::move(*decoded));
      } else {
        fits = wanted[i] == segments[i];
      }
    }
    if (!fits) continue;
    *path_known = true;
    if (route.method != method) continue;
    *parameters = std::move(found);
    return &route;
  }
  return nullptr;
}

Bytes FormatEvent(std::string_view event, std::string_view id, BytesView data) {
  assert(data.find_first_of("\r\n") == BytesView::npos && id.find('\n') == BytesView::npos);
  Bytes text;
  text.reserve(data.size() + event.size() + id.size() + 24);
  text += "event: ";
  text += event;
  if (!id.empty()) {
    text += "\nid: ";
    text += id;
  }
  text += "\ndata: ";
  text += data;
  text += "\n\n";
  return text;
}

}  // namespace mig
