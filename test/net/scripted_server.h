// A server that says exactly what a test wants said, well-formed or not, and keeps what it heard.
// It runs in a thread of its own and serves connections one after the other, each with the script.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "util/bytes.h"

namespace mig {

class ScriptedServer {
 public:
  using Tcp = boost::asio::ip::tcp;

  // One connection, seen from the script.
  class Conversation {
   public:
    Conversation(Tcp::socket& socket, boost::asio::ssl::stream<Tcp::socket&>* tls)
        : socket_(socket), tls_(tls) {}

    // A head, and the body that its Content-Length announces; empty when the client has gone.
    std::string ReadRequest() {
      std::string text = std::exchange(rest_, {});
      std::size_t need = std::string::npos;
      for (;;) {
        const auto head = text.find("\r\n\r\n");
        if (head != std::string::npos && need == std::string::npos) {
          const auto length = text.find("Content-Length: ");
          need = head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
        }
        if (need != std::string::npos && text.size() >= need) break;
        char chunk[4096];
        boost::system::error_code error;
        const auto buffer = boost::asio::buffer(chunk);
        const std::size_t got =
            tls_ != nullptr ? tls_->read_some(buffer, error) : socket_.read_some(buffer, error);
        if (error) return {};
        text.append(chunk, got);
      }
      rest_ = text.substr(need);
      return text.substr(0, need);
    }
    void Write(std::string_view text) {
      boost::system::error_code gone;  // the client's right
      if (tls_ != nullptr) {
        boost::asio::write(*tls_, boost::asio::buffer(text), gone);
      } else {
        boost::asio::write(socket_, boost::asio::buffer(text), gone);
      }
    }

   private:
    Tcp::socket& socket_;
    boost::asio::ssl::stream<Tcp::socket&>* tls_;
    std::string rest_;
  };
  using Script = std::function<void(Conversation&)>;

  // With certificate and key files: TLS.
  explicit ScriptedServer(Script script, const std::string& certificate = "",
                          const std::string& key = "")
      : script_(std::move(script)),
        acceptor_(io_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    if (!certificate.empty()) {
      context_.emplace(boost::asio::ssl::context::tls_server);
      context_->use_certificate_chain_file(certificate);
      context_->use_private_key_file(key, boost::asio::ssl::context::pem);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    ending_ = true;
    // Wakes the thread from accept, or from a read whose client will not say more.
    boost::asio::io_context io;
    Tcp::socket waker(io);
    boost::system::error_code not_vital;
    waker.connect(acceptor_.local_endpoint(), not_vital);
    {
      const std::lock_guard lock(mutex_);
      if (open_ != nullptr) open_->shutdown(Tcp::socket::shutdown_both, not_vital);
    }
    thread_.join();
  }

  std::string Authority(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(acceptor_.local_endpoint().port());
  }
  int connections() const { return connections_; }

 private:
  void Serve() {
    while (!ending_) {
      Tcp::socket socket(io_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error || ending_) return;
      ++connections_;
      {
        const std::lock_guard lock(mutex_);
        open_ = &socket;
      }
      if (context_) {
        boost::asio::ssl::stream<Tcp::socket&> tls(socket, *context_);
        tls.handshake(boost::asio::ssl::stream_base::server, error);
        if (!error) {
          Conversation conversation(socket, &tls);
          script_(conversation);
        }
      } else {
        Conversation conversation(socket, nullptr);
        script_(conversation);
      }
      const std::lock_guard lock(mutex_);
      open_ = nullptr;
    }
  }

  Script script_;
  boost::asio::io_context io_;
  Tcp::acceptor acceptor_;
  std::optional<boost::asio::ssl::context> context_;
  std::atomic<bool> ending_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  Tcp::socket* open_ = nullptr;  // under mutex_
  std::thread thread_;
};

}  // namespace mig
