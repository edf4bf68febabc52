#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/openssl_handle.h"

namespace mig {
namespace {

constexpr std::string_view kUriStart = "mig:role/";
constexpr std::size_t kMaxRoleBytes = 32;
constexpr std::size_t kMaxIdBytes = 64;  // the upper bound of a common name (RFC 5280)
constexpr std::size_t kMaxHostBytes = 253;
constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kMaxPemBytes = 256 * 1024;
constexpr std::chrono::minutes kClockSkew{5};
constexpr std::string_view kAgentRole = "agent";

void FreeNames(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }

using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<FreeNames>>;

// OpenSSL's own words for what went wrong. Empties this thread's error queue, because an entry left
// in it would be taken for the failure of whatever TLS connection comes next.
Error Failure(Errc code, std::string_view what) {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  std::string message(what);
  if (number != 0) {
    char text[256];
    ERR_error_string_n(number, text, sizeof text);
    message.append(": ").append(text);
  }
  return Error(code, std::move(message));
}

bool IsRole(std::string_view role) {
  return !role.empty() && role.size() <= kMaxRoleBytes &&
         std::all_of(role.begin(), role.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool IsPeerId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostBytes &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == ':' || c == '_';
         });
}

Bio ReadBio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), kMaxPemBytes))));
}

std::string TextOf(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

// Without a callback OpenSSL would ask for a passphrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

Expected<Certificate> ReadCertificate(std::string_view pem) {
  const Bio bio = ReadBio(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (!certificate) return Failure(Errc::kMalformed, "certificate: is not PEM");
  return certificate;
}

Expected<Key> ReadKey(std::string_view pem) {
  const Bio bio = ReadBio(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (!key) return Failure(Errc::kMalformed, "private key: is not unencrypted PEM");
  return key;
}

Expected<std::string> WriteCertificate(const X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return Failure(Errc::kInternal, "certificate: cannot be written");
  }
  return TextOf(bio);
}

Expected<std::string> WriteKey(const EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failure(Errc::kInternal, "private key: cannot be written");
  }
  return TextOf(bio);
}

Expected<Key> NewKey() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return Failure(Errc::kInternal, "P-256 key: cannot be made");
  return key;
}

bool IsP256(const EVP_PKEY* key) {
  char group[64];
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

std::time_t Seconds(UtcTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Expected<UtcTime> ToUtc(const ASN1_TIME* time, std::string_view what) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return Failure(Errc::kMalformed, "certificate: its " + std::string(what) + " is not a time");
  }
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  return UtcTime(std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) +
                 std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec));
}

Expected<UtcTime> EndOf(const X509* certificate) {
  return ToUtc(X509_get0_notAfter(certificate), "end");
}

bool SetSerial(X509* certificate) {
  Bytes random = RandomBytes(kSerialBytes);
  random[0] = static_cast<char>(random[0] | 1);  // never zero (RFC 5280 section 4.1.2.2)
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(random.data()),
                             static_cast<int>(random.size()), nullptr);
  const bool ok = number != nullptr &&
                  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return ok;
}

bool SetCommonName(X509_NAME* name, std::string_view text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// `text` is always one of our constants: OpenSSL's little language for extensions must not meet
// names that came from elsewhere.
bool AddExtension(X509* certificate, X509* issuer, int nid, const char* text) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, text);
  const bool ok = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

bool AddName(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (name == nullptr || value == nullptr) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

ASN1_STRING* Ia5(std::string_view text) {
  ASN1_STRING* string = ASN1_STRING_type_new(V_ASN1_IA5STRING);
  if (string != nullptr &&
      ASN1_STRING_set(string, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_STRING_free(string);
    return nullptr;
  }
  return string;
}

bool AddSubjectNames(X509* certificate, const LeafRequest& request) {
  const Names names(GENERAL_NAMES_new());
  const std::string uri = std::string(kUriStart) + request.name.role + "/" + request.name.id;
  if (!AddName(names.get(), GEN_URI, Ia5(uri))) return false;
  for (const std::string& host : request.dns_names) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
    ERR_clear_error();  // a host name leaves its failure to be an address there
    const bool ok = address != nullptr ? AddName(names.get(), GEN_IPADD, address)
                                       : AddName(names.get(), GEN_DNS, Ia5(host));
    if (!ok) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

// Version, serial, times, subject and key: what every certificate has.
Expected<Certificate> StartCertificate(EVP_PKEY* key, std::string_view common_name,
                                       UtcTime not_before, UtcTime not_after) {
  Certificate certificate(X509_new());
  X509* raw = certificate.get();
  if (raw == nullptr || X509_set_version(raw, X509_VERSION_3) != 1 || !SetSerial(raw) ||
      ASN1_TIME_set(X509_getm_notBefore(raw), Seconds(not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(raw), Seconds(not_after)) == nullptr ||
      !SetCommonName(X509_get_subject_name(raw), common_name) || X509_set_pubkey(raw, key) != 1) {
    return Failure(Errc::kInternal, "certificate: cannot be made");
  }
  return certificate;
}

struct Authority {
  Certificate certificate;
  Key key;
};

Expected<Authority> ReadAuthority(const KeyPairPem& pem) {
  auto certificate = ReadCertificate(pem.certificate);
  if (!certificate) return std::move(certificate).error().During("CA");
  auto key = ReadKey(pem.key);
  if (!key) return std::move(key).error().During("CA");
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return Failure(Errc::kInvalid, "CA: key and certificate do not belong together");
  }
  return Authority{std::move(*certificate), std::move(*key)};
}

Expected<void> CheckRequest(const LeafRequest& request) {
  if (!IsRole(request.name.role) || !IsPeerId(request.name.id)) {
    return Error(Errc::kInvalid, "certificate: `" + request.name.role + "/" + request.name.id +
                                     "` is not a role (a-z) and an id (a-z 0-9 -, at most 64)");
  }
  for (const std::string& host : request.dns_names) {
    if (!IsHost(host)) {
      return Error(Errc::kInvalid, "certificate: `" + host + "` is not a host name or address");
    }
  }
  if (request.validity.count() <= 0) {
    return Error(Errc::kInvalid, "certificate: validity is not above zero");
  }
  return {};
}

Expected<std::string> Issue(const Authority& ca, EVP_PKEY* key, const LeafRequest& request,
                            UtcTime now) {
  auto ca_end = EndOf(ca.certificate.get());
  if (!ca_end) return std::move(ca_end).error().During("CA");
  if (*ca_end <= now) {
    return Error(Errc::kExpired, "CA: its certificate ended " + FormatRfc3339(*ca_end));
  }
  const UtcTime not_after = std::min<UtcTime>(now + request.validity, *ca_end);
  // Who renews at a part of its life reckons from its start: that must stay close to the truth.
  const std::chrono::seconds skew =
      std::min<std::chrono::seconds>(kClockSkew, request.validity / 12);
  auto made = StartCertificate(key, request.name.id, now - skew, not_after);
  if (!made) return std::move(made).error();
  X509* leaf = made->get();
  X509* issuer = ca.certificate.get();
  const bool ok = X509_set_issuer_name(leaf, X509_get_subject_name(issuer)) == 1 &&
                  AddExtension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                  AddExtension(leaf, issuer, NID_key_usage, "critical,digitalSignature") &&
                  AddExtension(leaf, issuer, NID_ext_key_usage,
                               request.server ? "serverAuth,clientAuth" : "clientAuth") &&
                  AddExtension(leaf, issuer, NID_subject_key_identifier, "hash") &&
                  AddExtension(leaf, issuer, NID_authority_key_identifier, "keyid:always") &&
                  AddSubjectNames(leaf, request) && X509_sign(leaf, ca.key.get(), EVP_sha256()) > 0;
  if (!ok) return Failure(Errc::kInternal, "certificate: cannot be signed");
  return WriteCertificate(leaf);
}

}  // namespace

Expected<PeerName> PeerNameOf(const x509_st* certificate) {
  const auto malformed = [](std::string_view why) {
    ERR_clear_error();
    return Error(Errc::kMalformed, "certificate: " + std::string(why));
  };
  // Null also when the extension stands there twice.
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return malformed("has no subject alternative names");
  std::optional<std::string_view> uri;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (uri) return malformed("has more than one URI name");
    const ASN1_IA5STRING* value = name->d.uniformResourceIdentifier;
    uri.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  if (!uri || !uri->starts_with(kUriStart)) return malformed("has no URI name mig:role/ROLE/ID");
  const std::string_view rest = uri->substr(kUriStart.size());
  const std::size_t slash = rest.find('/');
  const std::string_view role = rest.substr(0, slash);
  const std::string_view id = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  // By their own letters, which also refuses an embedded NUL.
  if (!IsRole(role) || !IsPeerId(id)) return malformed("has a URI name that is not ROLE/ID");
  return PeerName{std::string(role), std::string(id)};
}

Expected<PeerName> PeerNameOfPem(std::string_view certificate_pem) {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  return PeerNameOf(certificate->get());
}

struct PeerAuthorities::Impl {
  Expected<PeerName> NameOf(const X509* certificate, bool verified) const;

  std::vector<Certificate> agents;
  std::vector<Certificate> servers;
  bool told_apart = false;  // no name stands in both
};

PeerAuthorities::PeerAuthorities(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerAuthorities::PeerAuthorities(PeerAuthorities&&) noexcept = default;
PeerAuthorities& PeerAuthorities::operator=(PeerAuthorities&&) noexcept = default;
PeerAuthorities::~PeerAuthorities() = default;

namespace {

Expected<std::vector<Certificate>> ReadAuthorities(std::string_view pem) {
  std::vector<Certificate> all;
  const Bio bio = ReadBio(pem);
  for (;;) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (!certificate) break;
    if (X509_check_ca(certificate.get()) == 0) {
      return Error(Errc::kMalformed, "CA certificate: is not that of a CA");
    }
    all.push_back(std::move(certificate));
  }
  // The end of the text is reported as "no start line"; anything else is damage.
  const unsigned long last = ERR_peek_last_error();
  if (all.empty() || (last != 0 && ERR_GET_REASON(last) != PEM_R_NO_START_LINE)) {
    return Failure(Errc::kMalformed, "CA certificate: is not PEM");
  }
  ERR_clear_error();
  return all;
}

bool IssuedByOneOf(const std::vector<Certificate>& authorities, const X509* certificate,
                   bool by_name) {
  // X509_verify takes no const but changes nothing that matters to others.
  X509* leaf = const_cast<X509*>(certificate);
  const bool found =
      std::any_of(authorities.begin(), authorities.end(), [&](const Certificate& authority) {
        return X509_check_issued(authority.get(), leaf) == X509_V_OK &&
               (by_name || X509_verify(leaf, X509_get0_pubkey(authority.get())) == 1);
      });
  ERR_clear_error();
  return found;
}

bool ToldApart(const std::vector<Certificate>& some, const std::vector<Certificate>& others) {
  return std::ranges::none_of(some, [&others](const Certificate& one) {
    return std::ranges::any_of(others, [&one](const Certificate& other) {
      return X509_NAME_cmp(X509_get_subject_name(one.get()), X509_get_subject_name(other.get())) ==
             0;
    });
  });
}

}  // namespace

Expected<PeerAuthorities> PeerAuthorities::FromPem(std::string_view agents_ca,
                                                   std::string_view servers_ca) {
  auto agents = ReadAuthorities(agents_ca);
  if (!agents) return std::move(agents).error().During("agents' CA");
  auto servers = ReadAuthorities(servers_ca);
  if (!servers) return std::move(servers).error().During("servers' CA");
  auto impl = std::make_unique<Impl>();
  impl->agents = std::move(*agents);
  impl->servers = std::move(*servers);
  impl->told_apart = ToldApart(impl->agents, impl->servers);
  return PeerAuthorities(std::move(impl));
}

// TLS has found the issuer among both sets by its name and verified its signature: where no name
// stands in both, the name alone says which set that was. Verifying once more would be a seventh of
// what a handshake costs.
Expected<PeerName> PeerAuthorities::Impl::NameOf(const X509* certificate, bool verified) const {
  auto name = PeerNameOf(certificate);
  if (!name) return name;
  const bool agent = name->role == kAgentRole;
  if (!IssuedByOneOf(agent ? agents : servers, certificate, verified && told_apart)) {
    return Error(Errc::kDenied, "certificate: " + name->role + "/" + name->id +
                                    " was not issued by the " + (agent ? "agents'" : "servers'") +
                                    " CA");
  }
  return name;
}

Expected<PeerName> PeerAuthorities::NameOf(const x509_st* certificate) const {
  return impl_->NameOf(certificate, true);
}

Expected<PeerName> PeerAuthorities::NameOfPem(std::string_view certificate_pem) const {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  return impl_->NameOf(certificate->get(), false);
}

Expected<KeyPairPem> MakeCa(std::string_view common_name, UtcTime now,
                            std::chrono::hours validity) {
  if (common_name.empty() || common_name.size() > kMaxIdBytes) {
    return Error(Errc::kInvalid, "CA: a common name has 1..64 bytes");
  }
  auto key = NewKey();
  if (!key) return std::move(key).error();
  auto made = StartCertificate(key->get(), common_name, now - kClockSkew, now + validity);
  if (!made) return std::move(made).error();
  X509* ca = made->get();
  // pathlen:0: an issued certificate can never issue, whatever its own extensions say.
  const bool ok = X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
                  AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                  AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                  AddExtension(ca, ca, NID_subject_key_identifier, "hash") &&
                  AddExtension(ca, ca, NID_authority_key_identifier, "keyid:always") &&
                  X509_sign(ca, key->get(), EVP_sha256()) > 0;
  if (!ok) return Failure(Errc::kInternal, "CA: cannot be signed");
  auto key_pem = WriteKey(key->get());
  if (!key_pem) return std::move(key_pem).error();
  auto certificate_pem = WriteCertificate(ca);
  if (!certificate_pem) return std::move(certificate_pem).error();
  return KeyPairPem{std::move(*key_pem), std::move(*certificate_pem)};
}

Expected<KeyPairPem> IssueLeaf(const KeyPairPem& ca, const LeafRequest& request, UtcTime now) {
  if (auto ok = CheckRequest(request); !ok) return std::move(ok).error();
  auto authority = ReadAuthority(ca);
  if (!authority) return std::move(authority).error();
  auto key = NewKey();
  if (!key) return std::move(key).error();
  auto certificate = Issue(*authority, key->get(), request, now);
  if (!certificate) return std::move(certificate).error();
  auto key_pem = WriteKey(key->get());
  if (!key_pem) return std::move(key_pem).error();
  return KeyPairPem{std::move(*key_pem), std::move(*certificate)};
}

Expected<std::string> MakeP256Key() {
  auto key = NewKey();
  if (!key) return std::move(key).error();
  return WriteKey(key->get());
}

Expected<std::string> MakeCertificateRequest(std::string_view key_pem,
                                             std::string_view common_name) {
  auto key = ReadKey(key_pem);
  if (!key) return std::move(key).error();
  const Request request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      !SetCommonName(X509_REQ_get_subject_name(request.get()), common_name) ||
      X509_REQ_set_pubkey(request.get(), key->get()) != 1 ||
      X509_REQ_sign(request.get(), key->get(), EVP_sha256()) <= 0) {
    return Failure(Errc::kInvalid, "certificate request: cannot be made");
  }
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return Failure(Errc::kInternal, "certificate request: cannot be written");
  }
  return TextOf(bio);
}

Expected<std::string> SignCertificateRequest(const KeyPairPem& ca, std::string_view csr_pem,
                                             const LeafRequest& request, UtcTime now) {
  if (auto ok = CheckRequest(request); !ok) return std::move(ok).error();
  auto authority = ReadAuthority(ca);
  if (!authority) return std::move(authority).error();
  const Bio bio = ReadBio(csr_pem);
  const Request csr(PEM_read_bio_X509_REQ(bio.get(), nullptr, NoPassphrase, nullptr));
  if (!csr) return Failure(Errc::kMalformed, "certificate request: is not PEM");
  EVP_PKEY* key = X509_REQ_get0_pubkey(csr.get());
  if (key == nullptr || !IsP256(key)) {
    return Failure(Errc::kDenied, "certificate request: its key is not on P-256");
  }
  // Proof that the applicant holds the key.
  if (X509_REQ_verify(csr.get(), key) != 1) {
    return Failure(Errc::kDenied, "certificate request: its own signature does not verify");
  }
  return Issue(*authority, key, request, now);
}

Expected<Bytes> SpkiPin(std::string_view certificate_pem) {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->get()), &der);
  if (size <= 0) return Failure(Errc::kMalformed, "certificate: has no public key");
  Bytes pin = Sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

Expected<UtcTime> NotAfter(std::string_view certificate_pem) {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  return EndOf(certificate->get());
}

Expected<UtcTime> NotBefore(std::string_view certificate_pem) {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  return ToUtc(X509_get0_notBefore(certificate->get()), "start");
}

Expected<bool> IsCertificateOf(std::string_view certificate_pem, std::string_view key_pem) {
  auto certificate = ReadCertificate(certificate_pem);
  if (!certificate) return std::move(certificate).error();
  auto key = ReadKey(key_pem);
  if (!key) return std::move(key).error();
  const bool together = X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  return together;
}

}  // namespace mig
