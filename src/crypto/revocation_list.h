// Certificates that were withdrawn before their end: the full revocation lists of our CAs (X.509
// CRLs, RFC 5280 section 5, PEM text). What a list must be to take the place of another is decided
// here; when files are read again, by net/tls_server_context.h. Objects do not change once made:
// threads may share one.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "util/clock.h"
#include "util/expected.h"

struct x509_st;  // OpenSSL's X509

namespace mig {

class RevocationList {
 public:
  // `lists` are the texts of files, each with one or more lists; `authorities`, PEM too, the CAs
  // that may have signed them. No list at all revokes nothing.
  // Errors: kMalformed; kUnsupported: a list that is not about all certificates of its CA, or that
  // has a critical extension; kDenied: signed by none of the CAs.
  static Expected<RevocationList> FromPem(const std::vector<std::string>& lists,
                                          std::string_view authorities);
  RevocationList(RevocationList&&) noexcept;
  RevocationList& operator=(RevocationList&&) noexcept;
  ~RevocationList();

  bool Revokes(const x509_st* certificate) const;

  // Whether these may take the place of `old`. Whoever can bring back an older list, or keep the
  // new one from us, would bring back to life what it revoked. Errors: kExpired; kInvalid: older
  // than the list in use, or none any more for a CA that is still in use.
  Expected<void> MayReplace(const RevocationList& old, UtcTime now) const;

  // When the first of them expires (its nextUpdate). Far away if there is none.
  UtcTime expires() const;
  // Certificates revoked.
  std::size_t size() const;

 private:
  struct Impl;
  explicit RevocationList(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mig
