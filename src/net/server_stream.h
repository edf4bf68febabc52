// One accepted connection's bytes, plain or TLS, on a non-blocking socket: every call does what it
// can at once and says what it waits for. No buffers of its own while idle. The socket belongs to
// the caller.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "util/bytes.h"

struct ssl_st;

namespace mig {

class ServerStream {
 public:
  enum class State {
    kDone,       // some bytes were moved, or the handshake is complete
    kWantRead,   // again when the socket is readable
    kWantWrite,  // again when it is writable
    kClosed,     // the peer is gone, or broke TLS (see problem())
  };
  struct Result {
    State state;
    std::size_t bytes = 0;
  };

  // `tls` may be null; taken over.
  ServerStream(int socket, ssl_st* tls);

  State Handshake();
  Result Read(std::span<char> buffer);
  // `scratch` is for putting pieces together into one TLS record.
  Result Write(std::span<const iovec> pieces, Bytes& scratch);
  // True if there are bytes to read that the socket does not announce.
  bool HasBuffered() const;
  // Says goodbye, so that the peer knows that nothing was cut off; reading goes on.
  void EndSending();

  const ssl_st* tls() const { return tls_.get(); }
  // Why a handshake failed; for logs.
  const std::string& problem() const { return problem_; }

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };
  State StateOf(int result);

  int socket_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  std::string problem_;
};

}  // namespace mig
