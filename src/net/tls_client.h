// TLS for clients of our own servers: whom to believe, as an OpenSSL context and a check of the
// server's certificate. The server's side is net/tls_server_context.h.
#pragma once

#include <memory>
#include <string>

#include "util/bytes.h"
#include "util/expected.h"

namespace boost::asio::ssl {
class context;
}
struct ssl_st;  // OpenSSL's SSL

namespace mig {

struct TlsTrust {
  std::string ca_file;  // PEM, one or several; or
  Bytes ca_pin;         // SHA-256 of the CA's SubjectPublicKeyInfo: the server sends that CA along
};

// TLS 1.2 or newer with forward secrecy, and nobody believed but `trust`: the system's own CAs do
// not count. Errors: kInvalid: neither or both are given; kIo, kMalformed: the file.
Expected<std::shared_ptr<boost::asio::ssl::context>> MakeTlsClientContext(const TlsTrust& trust);

// For each connection before its handshake: the certificate must be for `host` (a name or an
// address), and its chain must end in the CA that is trusted.
void ExpectServer(ssl_st* ssl, const std::string& host, const TlsTrust& trust);

// Why the certificate was not believed, in words; empty when it was, or none came.
std::string CertificateProblem(const ssl_st* ssl);

}  // namespace mig
