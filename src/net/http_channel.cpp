#include "net/http_channel.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "net/dial.h"
#include "net/host.h"
#include "net/tls_client.h"
#include "util/version.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kMaxHeadBytes = 64 * 1024;
// A larger body is sent when the server has asked for it (RFC 9110 section 10.1.1): it answers the
// head of a request that it does not let in, and closes, and what is then still being sent could
// reset the connection and that answer with it.
constexpr std::size_t kAskFirstBytes = 512 * 1024;
// A connection that was idle for longer may just be closed by the server.
constexpr std::chrono::seconds kKeepIdle{30};

using ReplyHead = http::response_parser<http::empty_body>;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// Plain or TLS behind one type, so that Beast's templates are instantiated once.
class Transport {
 public:
  using executor_type = asio::any_io_executor;

  explicit Transport(beast::tcp_stream plain) : stream_(std::move(plain)) {}
  Transport(beast::tcp_stream plain, asio::ssl::context& context)
      : stream_(std::in_place_type<TlsStream>, std::move(plain), context) {}

  executor_type get_executor() { return tcp().get_executor(); }
  beast::tcp_stream& tcp() {
    auto* const tls = std::get_if<TlsStream>(&stream_);
    return tls != nullptr ? tls->next_layer() : std::get<beast::tcp_stream>(stream_);
  }
  TlsStream* tls() { return std::get_if<TlsStream>(&stream_); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return std::visit(
        [&](auto& s) { return s.async_read_some(buffers, std::forward<Token>(token)); }, stream_);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return std::visit(
        [&](auto& s) { return s.async_write_some(buffers, std::forward<Token>(token)); }, stream_);
  }

 private:
  std::variant<beast::tcp_stream, TlsStream> stream_;
};

struct Server {
  bool tls = true;
  std::string authority;  // as in the URL: what Host says
  HostPort address;
};

Expected<Server> ParseUrl(const std::string& url) {
  Server server;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    server.tls = false;
    rest.remove_prefix(7);
  } else {
    return Error(Errc::kInvalid, "`" + url + "` does not begin with https://");
  }
  auto address = ParseHostPort(rest, server.tls ? 443 : 80);
  if (!address) return Error(Errc::kInvalid, "`" + url + "` is not https://host[:port]");
  if (!server.tls && !IsLoopback(address->host)) {
    return Error(Errc::kInvalid, "`" + url + "`: without TLS only this machine may be called");
  }
  server.authority = std::string(rest);
  server.address = std::move(*address);
  return server;
}

HttpHeaders HeadersOf(const http::fields& fields) {
  HttpHeaders headers;
  for (const auto& field : fields) {
    headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  return headers;
}

}  // namespace

struct HttpChannel::Impl {
  Impl(asio::any_io_executor executor_to_use, HttpClientOptions client_options)
      : executor(std::move(executor_to_use)),
        options(std::move(client_options)),
        dialer(executor) {}

  using Deadline = steady_clock::time_point;

  asio::awaitable<Expected<void>> Connect();
  asio::awaitable<Expected<void>> Handshake(TlsStream& stream, Deadline deadline);
  // The request, and of the reply the head. References are to the frame of the coroutine that
  // waits.
  asio::awaitable<Expected<void>> Send(HttpCall call, std::optional<ReplyHead>& head,
                                       Deadline deadline);
  asio::awaitable<Expected<HttpReply>> ReadBody(ReplyHead& head, Deadline deadline);
  asio::awaitable<Expected<HttpReply>> ReadEvents(ReplyHead& head, HttpClient::OnEvent on_event);

  bool StillOpen();
  void Drop() { transport.reset(); }
  Error Failure(const error_code& error, std::string_view doing) const;
  Error Told(Errc code, std::string message) const {
    return Error(code, options.url + ": " + message);
  }

  asio::any_io_executor executor;
  const HttpClientOptions options;
  Server server;
  std::shared_ptr<asio::ssl::context> tls;
  std::optional<Transport> transport;
  beast::flat_buffer buffer;
  Deadline idle_since;
  Dialer dialer;
  bool cancelled = false;
  bool body_kept = false;  // the last request ended with its head
};

Error HttpChannel::Impl::Failure(const error_code& error, std::string_view doing) const {
  if (cancelled) return Error(Errc::kUnavailable, "interrupted");
  if (error == beast::error::timeout) {
    return Told(Errc::kTimeout, "no answer in time (" + std::string(doing) + ")");
  }
  if (error == http::error::body_limit) {
    return Told(Errc::kFull,
                "the reply is larger than " + std::to_string(options.max_reply_bytes) + " bytes");
  }
  if (error == http::error::header_limit) return Told(Errc::kFull, "the reply's head is too large");
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return Told(Errc::kUnavailable, "the server closed the connection");
  }
  if (error.category() == http::make_error_code(http::error::end_of_stream).category()) {
    return Told(Errc::kMalformed, "the reply is not HTTP: " + error.message());
  }
  return Told(Errc::kUnavailable, std::string(doing) + ": " + error.message());
}

// Not closed, and nothing to be read: what a server says unasked is good-bye.
bool HttpChannel::Impl::StillOpen() {
  if (!transport || steady_clock::now() - idle_since > kKeepIdle) return false;
  char byte;
  const ssize_t got =
      recv(transport->tcp().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && buffer.size() == 0;
}

asio::awaitable<Expected<void>> HttpChannel::Impl::Connect() {
  if (StillOpen()) co_return Expected<void>();
  Drop();
  buffer.clear();
  auto parsed = ParseUrl(options.url);
  if (!parsed) co_return std::move(parsed).error();
  server = std::move(*parsed);
  if (server.tls && !tls) {
    auto context = MakeTlsClientContext({options.ca_file, options.ca_pin});
    if (!context) co_return std::move(context).error();
    tls = std::move(*context);
  }
  const Deadline deadline = steady_clock::now() + options.connect_timeout;
  if (server.tls) {
    transport.emplace(beast::tcp_stream(executor), *tls);
  } else {
    transport.emplace(beast::tcp_stream(executor));
  }
  std::optional<ProxyAddress> proxy;
  if (const auto* const through = options.proxy.For(server.address.host, server.address.port)) {
    proxy = *through;
  }
  HostPort to = server.address;
  auto connected =
      co_await dialer.Dial(transport->tcp(), std::move(to), std::move(proxy), deadline);
  if (!connected) {
    connected = cancelled ? Error(Errc::kUnavailable, "interrupted")
                          : std::move(connected).error().During(options.url);
  }
  if (connected && server.tls) connected = co_await Handshake(*transport->tls(), deadline);
  if (!connected) Drop();
  co_return connected;
}

asio::awaitable<Expected<void>> HttpChannel::Impl::Handshake(TlsStream& stream, Deadline deadline) {
  ExpectServer(stream.native_handle(), server.address.host, {options.ca_file, options.ca_pin});
  beast::get_lowest_layer(stream).expires_at(deadline);
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kAwait);
  if (!error) co_return Expected<void>();
  const std::string problem = CertificateProblem(stream.native_handle());
  if (!problem.empty() && error.category() == asio::error::get_ssl_category()) {
    co_return Told(Errc::kDenied,
                   "the server's certificate is not believed: " + problem + " (believed: " +
                       (options.ca_file.empty() ? "the CA of the pin" : options.ca_file) + ")");
  }
  if (error.category() == asio::error::get_ssl_category()) {
    co_return Told(Errc::kUnavailable, "TLS handshake: " + error.message());
  }
  co_return Failure(error, "TLS handshake");
}

asio::awaitable<Expected<void>> HttpChannel::Impl::Send(HttpCall call,
                                                        std::optional<ReplyHead>& head,
                                                        Deadline deadline) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(call.method);
  request.target(call.target);
  request.set(http::field::host, server.authority);
  request.set(http::field::user_agent, "mig/" + std::string(Version()));
  for (const auto& [name, value] : call.headers) request.insert(name, value);
  request.body() = std::move(call.body);
  if (!request.body().empty() || call.method == "POST" || call.method == "PUT") {
    request.content_length(request.body().size());
  }
  transport->tcp().expires_at(deadline);
  const bool ask_first = request.body().size() > kAskFirstBytes;
  if (ask_first) request.set(http::field::expect, "100-continue");
  http::request_serializer<http::string_body> serializer(request);
  if (ask_first) {
    auto [error, size] = co_await http::async_write_header(*transport, serializer, kAwait);
    if (error) co_return Failure(error, "send");
    head.emplace();
    head->header_limit(kMaxHeadBytes);
    head->body_limit(options.max_reply_bytes);
    auto [refused, got] = co_await http::async_read_header(*transport, buffer, *head, kAwait);
    if (refused) co_return Failure(refused, "receive");
    if (head->get().result() != http::status::continue_) {
      body_kept = true;
      co_return Expected<void>();
    }
  }
  if (auto [error, size] = co_await http::async_write(*transport, serializer, kAwait); error) {
    co_return Failure(error, "send");
  }
  head.emplace();
  head->header_limit(kMaxHeadBytes);
  head->skip(request.method() ==
             http::verb::head);               // then a length is announced, and nothing comes
  head->body_limit(options.max_reply_bytes);  // an announced length is checked with the head
  if (auto [error, size] = co_await http::async_read_header(*transport, buffer, *head, kAwait);
      error) {
    co_return Failure(error, "receive");
  }
  co_return Expected<void>();
}

asio::awaitable<Expected<HttpReply>> HttpChannel::Impl::ReadBody(ReplyHead& head,
                                                                 Deadline deadline) {
  http::response_parser<http::string_body> parser(std::move(head));
  parser.body_limit(options.max_reply_bytes);
  transport->tcp().expires_at(deadline);
  if (auto [error, size] = co_await http::async_read(*transport, buffer, parser, kAwait); error) {
    co_return Failure(error, "receive");
  }
  HttpReply reply;
  reply.status = static_cast<int>(parser.get().result_int());
  reply.headers = HeadersOf(parser.get());
  reply.body = std::move(parser.get().body());
  transport->tcp().expires_never();
  idle_since = steady_clock::now();
  // The server may go on waiting for a body that it did not want.
  if (!parser.keep_alive() || std::exchange(body_kept, false)) Drop();
  co_return reply;
}

asio::awaitable<Expected<HttpReply>> HttpChannel::Impl::ReadEvents(ReplyHead& head,
                                                                   HttpClient::OnEvent on_event) {
  http::response_parser<http::buffer_body> parser(std::move(head));
  parser.body_limit(boost::none);  // events are bounded one by one
  HttpReply reply;
  reply.status = static_cast<int>(parser.get().result_int());
  reply.headers = HeadersOf(parser.get());
  SseParser events;
  std::array<char, 16 * 1024> chunk;
  while (!parser.is_done()) {
    parser.get().body().data = chunk.data();
    parser.get().body().size = chunk.size();
    transport->tcp().expires_after(options.stream_silence);
    auto [error, size] = co_await http::async_read_some(*transport, buffer, parser, kAwait);
    if (error == http::error::need_buffer) error = {};
    // Without a length or chunks, the end of the connection is the end of the stream.
    if (error) {
      Drop();
      co_return Failure(error, "receive events");
    }
    auto complete = events.Feed({chunk.data(), chunk.size() - parser.get().body().size});
    if (!complete) {
      Drop();
      co_return std::move(complete).error().During(options.url);
    }
    for (const SseEvent& event : *complete) {
      if (!on_event(event)) {
        Drop();
        co_return reply;
      }
      if (cancelled) co_return Error(Errc::kUnavailable, "interrupted");
    }
  }
  Drop();
  co_return reply;
}

HttpChannel::HttpChannel(asio::any_io_executor executor, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options))) {}

HttpChannel::~HttpChannel() = default;

asio::awaitable<Expected<HttpReply>> HttpChannel::Call(HttpCall call) {
  Impl& impl = *impl_;
  impl.cancelled = false;
  if (auto ready = co_await impl.Connect(); !ready) co_return std::move(ready).error();
  const auto deadline = steady_clock::now() + impl.options.call_timeout;
  std::optional<ReplyHead> head;
  if (auto sent = co_await impl.Send(std::move(call), head, deadline); !sent) {
    impl.Drop();
    co_return std::move(sent).error();
  }
  auto reply = co_await impl.ReadBody(*head, deadline);
  if (!reply) impl.Drop();
  co_return reply;
}

asio::awaitable<Expected<HttpReply>> HttpChannel::Stream(HttpCall call,
                                                         HttpClient::OnEvent on_event) {
  Impl& impl = *impl_;
  impl.cancelled = false;
  if (auto ready = co_await impl.Connect(); !ready) co_return std::move(ready).error();
  const auto deadline = steady_clock::now() + impl.options.call_timeout;
  std::optional<ReplyHead> head;
  if (auto sent = co_await impl.Send(std::move(call), head, deadline); !sent) {
    impl.Drop();
    co_return std::move(sent).error();
  }
  if (head->get().result_int() != 200) {
    auto reply = co_await impl.ReadBody(*head, deadline);
    if (!reply) impl.Drop();
    co_return reply;
  }
  co_return co_await impl.ReadEvents(*head, std::move(on_event));
}

void HttpChannel::Cancel() {
  impl_->cancelled = true;
  impl_->dialer.Cancel();
  if (impl_->transport) impl_->transport->tcp().close();
}

}  // namespace mig
