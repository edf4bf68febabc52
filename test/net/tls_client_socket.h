// A TLS connection over which a test says exactly what it wants said, blocking, with a limit on
// each wait.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>

namespace mig {

class TlsClientSocket {
 public:
  explicit TlsClientSocket(std::uint16_t port) : stream_(io_, context_) {
    stream_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port}, failed_);
    if (!failed_) stream_.handshake(boost::asio::ssl::stream_base::client, failed_);
  }

  bool connected() const { return !failed_; }

  // False when the server does not take it any more.
  bool Write(std::string_view text) {
    boost::asio::write(stream_, boost::asio::buffer(text), failed_);
    return !failed_;
  }

  // Everything until the server closes.
  std::string ReadAll() {
    std::string all = std::exchange(rest_, {});
    while (ReadSome(all)) {
    }
    return all;
  }

  // One reply with a Content-Length: head and body. What came of the end when the server closes.
  std::string ReadReply() {
    std::string text = std::exchange(rest_, {});
    for (;;) {
      const auto head = text.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = text.find("Content-Length: ");
        const std::size_t size =
            head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
        if (text.size() >= size) {
          rest_ = text.substr(size);
          return text.substr(0, size);
        }
      }
      if (!ReadSome(text)) return text;
    }
  }

  // Until `end` has come, or the server closes.
  std::string ReadUntil(std::string_view end) {
    std::string text = std::exchange(rest_, {});
    while (text.find(end) == std::string::npos && ReadSome(text)) {
    }
    return text;
  }

  void Close() { stream_.next_layer().close(failed_); }
  boost::asio::ip::tcp::socket& socket() { return stream_.next_layer(); }
  SSL* ssl() { return stream_.native_handle(); }

 private:
  bool ReadSome(std::string& text) {
    char chunk[16384];
    bool more = false;
    stream_.async_read_some(boost::asio::buffer(chunk),
                            [&](boost::system::error_code error, std::size_t got) {
                              text.append(chunk, got);
                              more = !error;
                            });
    io_.restart();
    io_.run_for(kPatience);
    if (!io_.stopped()) {  // the handler is not to outlive its variables
      stream_.next_layer().close(failed_);
      io_.run();
      return false;
    }
    return more;
  }

  static constexpr std::chrono::seconds kPatience{20};

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::system::error_code failed_;
  std::string rest_;
};

}  // namespace mig
