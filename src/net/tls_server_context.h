// TLS for a server whose clients must show a certificate (OpenSSL): TLS 1.2 or later, chain and key
// from PEM files, clients verified against our two CAs and named by crypto/certificate.h.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "crypto/certificate.h"
#include "util/expected.h"

struct ssl_st;  // OpenSSL's SSL

namespace mig {

struct TlsServerFiles {
  std::string certificate;  // with its chain
  std::string key;
  std::string agents_ca;
  std::string servers_ca;
};

class TlsServerContext {
 public:
  // `protocols`: what clients that ask for a protocol (ALPN, RFC 7301) may have, the best first;
  // who asks for none of them gets no connection, who does not ask gets one. Errors name the file:
  // kNotFound, kDenied, kIo; kMalformed for a file that is not what it should be; kInvalid for a
  // key that does not belong to the certificate.
  static Expected<std::shared_ptr<TlsServerContext>> Load(const TlsServerFiles& files,
                                                          std::span<const std::string> protocols);
  ~TlsServerContext();

  // A connection in the server's part on a non-blocking socket, which it does not own. To be freed
  // with SSL_free. Error: kInternal.
  Expected<ssl_st*> NewConnection(int socket) const;

  // Who the peer is, after the handshake. Error: kDenied.
  Expected<PeerName> NameOf(const ssl_st* connection) const;

 private:
  struct Impl;
  explicit TlsServerContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mig
