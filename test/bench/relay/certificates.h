// What mutual TLS needs, made when the bench starts: two CAs, the brokers' certificate, and one for
// each client, in files for the brokers and in memory for the clients.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "util/expected.h"

struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace mig::bench {

// One client's side of TLS, kept between its connections: certificate and, once it was given one,
// the ticket to come back with.
class TlsIdentity {
 public:
  explicit TlsIdentity(x509_st* certificate) : certificate_(certificate) {}
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  bool has_ticket() const { return ticket_ != nullptr; }
  void ForgetTicket();

 private:
  friend class Certificates;
  x509_st* certificate_;              // owned
  ssl_session_st* ticket_ = nullptr;  // owned
};

class Certificates {
 public:
  // For clients named ClientName(0) to ClientName(clients - 1).
  static Expected<std::unique_ptr<Certificates>> Make(std::size_t clients);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Of relay.crt, relay.key, agents-ca.crt, servers-ca.crt, all-ca.crt.
  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  TlsIdentity& identity(std::size_t client) const { return *identities_[client]; }

  // A connection in the client's part, to be freed with SSL_free. It comes back with the identity's
  // ticket if there is one, and leaves the newest one there.
  ssl_st* NewConnection(int socket, TlsIdentity& identity) const;

 private:
  Certificates() = default;
  Expected<void> MakeFiles(std::size_t clients);

  std::filesystem::path folder_;
  std::vector<std::unique_ptr<TlsIdentity>> identities_;
  evp_pkey_st* key_ = nullptr;     // of all clients: what it costs them is not measured
  ssl_ctx_st* context_ = nullptr;  // owned
};

// "bench-00017": client identifier, and the name in the certificate.
std::string ClientName(std::size_t client);

}  // namespace mig::bench
