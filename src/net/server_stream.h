// One accepted connection's bytes, plain or TLS, on a non-blocking socket. No buffers of its own
// while idle. The socket belongs to the caller.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/link_stream.h"

struct ssl_st;

namespace mig {

class ServerStream final : public LinkStream {
 public:
  // `tls` may be null; taken over.
  ServerStream(int socket, ssl_st* tls);

  State Handshake();
  Result Read(std::span<char> buffer) override;
  Result Write(std::span<const iovec> pieces, Bytes& scratch) override;
  bool HasBuffered() const override;
  State EndSending() override;
  std::string problem() const override { return problem_ == nullptr ? "" : problem_; }

  const ssl_st* tls() const { return tls_.get(); }
  // What client and server agreed to speak (ALPN); empty if they did not talk about it.
  std::string_view protocol() const;

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };
  State StateOf(int result);

  int socket_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  const char* problem_ = nullptr;  // a literal of OpenSSL's
};

}  // namespace mig
