// X.509 for TLS (OpenSSL, P-256): two CAs, one for agents and one for servers; a role's name is
// the URI mig:role/ROLE/ID in the certificate, and counts only with the CA that may issue it.
// PEM text in and out.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

struct x509_st;  // OpenSSL's X509

namespace mig {

struct PeerName {
  std::string role;  // agent, relay, scheduler, api
  std::string id;
};

// From exactly one URI name of that form (ROLE of a-z, ID of a-z 0-9 and -, at most 64);
// error kMalformed otherwise. Not owned.
Expected<PeerName> PeerNameOf(const x509_st* certificate);
Expected<PeerName> PeerNameOfPem(std::string_view certificate_pem);

// The two CAs as who accepts connections knows them: a name counts only when the CA that may give
// it has issued the certificate: the agents' CA names agents, the servers' CA everybody else.
class PeerAuthorities {
 public:
  // PEM text, each one or more CA certificates (more while a CA is replaced). Error: kMalformed.
  static Expected<PeerAuthorities> FromPem(std::string_view agents_ca, std::string_view servers_ca);
  PeerAuthorities(PeerAuthorities&&) noexcept;
  PeerAuthorities& operator=(PeerAuthorities&&) noexcept;
  ~PeerAuthorities();

  // The name in a certificate whose chain TLS has verified already. Errors: kMalformed as
  // PeerNameOf; kDenied: issued by the CA that may not give this role.
  Expected<PeerName> NameOf(const x509_st* certificate) const;
  // The same of a certificate that nobody has verified.
  Expected<PeerName> NameOfPem(std::string_view certificate_pem) const;

 private:
  struct Impl;
  explicit PeerAuthorities(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct KeyPairPem {
  std::string key;  // PKCS#8, unencrypted: written with mode 0600
  std::string certificate;
};

// Self-signed CA with pathlen 0 and keyCertSign, cRLSign.
Expected<KeyPairPem> MakeCa(std::string_view common_name, UtcTime now, std::chrono::hours validity);

struct LeafRequest {
  PeerName name;                       // common name is name.id
  std::vector<std::string> dns_names;  // and IP addresses, told apart by their form
  bool server = false;                 // extended key usage serverAuth (and clientAuth always)
  std::chrono::seconds validity = std::chrono::hours(24 * 90);
};
// A new P-256 key and its certificate. Starts five minutes before `now` (clock skew), or a twelfth
// of its validity where that is less, and ends no later than the CA does. Errors: kInvalid: a name
// that no certificate of ours carries; kExpired: the CA; kMalformed: its PEM.
Expected<KeyPairPem> IssueLeaf(const KeyPairPem& ca, const LeafRequest& request, UtcTime now);

// For enrolment: the key stays with whoever asked.
Expected<std::string> MakeP256Key();
Expected<std::string> MakeCertificateRequest(std::string_view key_pem,
                                             std::string_view common_name);
// Checks the request's self-signature, takes only its public key (P-256, else kDenied), and names
// the certificate as `request` says: what the applicant wrote in it does not count.
Expected<std::string> SignCertificateRequest(const KeyPairPem& ca, std::string_view csr_pem,
                                             const LeafRequest& request, UtcTime now);

// SHA-256 over the DER of the SubjectPublicKeyInfo: the pin that enrolment tokens carry.
Expected<Bytes> SpkiPin(std::string_view certificate_pem);
Expected<UtcTime> NotBefore(std::string_view certificate_pem);
Expected<UtcTime> NotAfter(std::string_view certificate_pem);
// Whether the certificate is of this key. Error: one of both cannot be read.
Expected<bool> IsCertificateOf(std::string_view certificate_pem, std::string_view key_pem);

}  // namespace mig
