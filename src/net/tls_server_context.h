// TLS for a server whose clients must show a certificate (OpenSSL): TLS 1.2 or later, chain and key
// from PEM files, clients verified against our two CAs and their revocation lists, and named by
// crypto/certificate.h. Clients may resume with tickets (net/ticket_keys.h); NameOf judges them
// anew each time. Connections may be made on any thread, also while lists are read again.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/revocation_list.h"
#include "net/ticket_keys.h"
#include "util/expected.h"

struct ssl_st;  // OpenSSL's SSL

namespace mig {

struct TlsServerFiles {
  std::string certificate;  // with its chain
  std::string key;
  std::string agents_ca;
  std::string servers_ca;
  std::vector<std::string> revocations;  // of these CAs; may be none
};

class TlsServerContext {
 public:
  // `protocols`: what clients that ask for a protocol (ALPN, RFC 7301) may have, the best first;
  // who asks for none of them gets no connection, who does not ask gets one. Errors name the file:
  // kNotFound, kDenied, kIo; kMalformed for a file that is not what it should be; kInvalid for a
  // key that does not belong to the certificate. Revocation lists that have expired are used: what
  // they revoke stays revoked (see RevocationsExpire).
  static Expected<std::shared_ptr<TlsServerContext>> Load(const TlsServerFiles& files,
                                                          std::span<const std::string> protocols);
  ~TlsServerContext();

  // Another one from what the files hold now, which takes the tickets of this one and has its
  // revocations. Errors as Load.
  Expected<std::shared_ptr<TlsServerContext>> Reload() const;

  // Reads the revocation lists again. On an error those in use stay in use: a file that cannot be
  // read, as Load; lists that may not replace them (RevocationList::MayReplace).
  Expected<void> ReloadRevocations(UtcTime now);
  // Whether one of their files has changed since they were read, well or not.
  bool RevocationsChanged() const;
  UtcTime RevocationsExpire() const;
  std::size_t Revocations() const;

  // A connection in the server's part on a non-blocking socket, which it does not own. To be freed
  // with SSL_free. Error: kInternal.
  Expected<ssl_st*> NewConnection(int socket) const;

  // Who the peer is, after the handshake. Error: kDenied, also for a certificate that has expired
  // or was revoked since: a resumed session must not outlive its certificate.
  Expected<PeerName> NameOf(const ssl_st* connection) const;
  // The same for a connection that NameOf has named before, looking only at what time and lists
  // may have changed.
  Expected<void> CheckAgain(const ssl_st* connection) const;

 private:
  struct Impl;
  explicit TlsServerContext(std::unique_ptr<Impl> impl);
  static Expected<std::unique_ptr<Impl>> LoadFiles(const TlsServerFiles& files);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mig
