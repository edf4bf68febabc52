#include "net/tls_server_context.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <tuple>

#include "os/file_status.h"
#include "os/files.h"

namespace mig {
namespace {

constexpr std::size_t kMaxPemBytes = 1 << 20;
constexpr std::size_t kMaxListBytes = std::size_t{64} << 20;
// For how long a client may resume without showing its certificate again.
constexpr long kTicketSeconds = TicketKeys::kLifetime.count();
constexpr unsigned char kSessionContext[] = "mig relay";

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

Error OpenSslError(Errc code, std::string what) {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  if (number != 0) {
    if (const char* reason = ERR_reason_error_string(number)) {
      what.append(": ").append(reason);
    }
  }
  return Error(code, std::move(what));
}

// Adds every certificate of a PEM text as a CA that clients may be issued by.
Expected<void> TrustCas(SSL_CTX* context, const Bytes& pem, const std::string& file) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int count = 0;
  for (;;) {
    const std::unique_ptr<X509, FreeCertificate> ca(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (ca == nullptr) break;
    // Its extensions are taken apart now; else the first handshakes, each on its thread, would.
    if (X509_check_purpose(ca.get(), -1, 0) != 1) {
      return OpenSslError(Errc::kMalformed, file + ": extensions of a certificate");
    }
    // The names are sent to clients, so that one with several certificates can choose.
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
        SSL_CTX_add_client_CA(context, ca.get()) != 1) {
      return OpenSslError(Errc::kMalformed, file);
    }
    ++count;
  }
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  if (count == 0) return Error(Errc::kMalformed, file + ": no certificate in PEM form");
  return {};
}

// Names with their lengths before them, as TLS writes them (RFC 7301 section 3.1).
Bytes AlpnList(std::span<const std::string> protocols) {
  Bytes list;
  for (const std::string& name : protocols) {
    list += static_cast<char>(name.size());
    list += name;
  }
  return list;
}

// What a connection needs of us while it shakes hands, perhaps on another thread, perhaps after a
// newer context has taken our place: owned by the SSL_CTX, which the connection keeps.
struct Shared {
  std::shared_ptr<const RevocationList> Revocations() const {
    const std::lock_guard lock(mutex);
    return revocations;
  }
  void SetRevocations(std::shared_ptr<const RevocationList> list) {
    const std::lock_guard lock(mutex);
    revocations = std::move(list);
  }

  Bytes protocols;  // AlpnList
  TicketKeys tickets;
  mutable std::mutex mutex;
  std::shared_ptr<const RevocationList> revocations;  // under mutex; never null once set
};

void FreeShared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::shared_ptr<Shared>*>(shared);
}

int SharedIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeShared);
  return index;
}

Shared& SharedOf(const SSL* connection) {
  return **static_cast<std::shared_ptr<Shared>*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), SharedIndex()));
}

// Within the handshake, so that the client is told (certificate_revoked) and not merely left.
int CheckRevocation(int verified, X509_STORE_CTX* store) {
  if (verified != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return verified;
  const auto* connection = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (!SharedOf(connection).Revocations()->Revokes(certificate)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
  return 0;
}

// What was agreed on is sent to the client: it points into what the connection keeps.
int ChooseProtocol(SSL* connection, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  const Bytes& ours = SharedOf(connection).protocols;
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(
      &found, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
      static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  // Carrying on with what the client did not mean is how one protocol is attacked through another.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// OpenSSL asks for the keys of a ticket. 1: use them; 2: use them and give out a new ticket; 0: no
// such key, so that the handshake is a full one; -1: failure.
int UseTicketKey(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                 EVP_MAC_CTX* mac, int encrypt) {
  TicketKeys& keys = SharedOf(connection).tickets;
  const auto now = std::chrono::steady_clock::now();
  TicketKeys::Key key;
  int answer = 1;
  if (encrypt == 1) {
    key = keys.Current(now);
    std::copy(key.name.begin(), key.name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else {
    const auto found = keys.Find(name, now);
    if (!found) return 0;
    key = found->key;
    answer = found->is_current ? 1 : 2;
  }
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, encrypt) != 1) {
    return -1;
  }
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1 ? answer : -1;
}

// How a file looks from outside; nothing if it cannot be looked at.
using Look = std::optional<std::tuple<std::uint64_t, std::int64_t, std::uint32_t>>;

std::vector<Look> LookAt(const std::vector<std::string>& files) {
  std::vector<Look> looks;
  for (const std::string& file : files) {
    const auto status = os::StatusAt(AT_FDCWD, file.c_str(), true);
    looks.emplace_back(
        status ? Look({status->size, status->modified.seconds, status->modified.nanoseconds})
               : std::nullopt);
  }
  return looks;
}

Expected<std::shared_ptr<const RevocationList>> ReadRevocations(
    const std::vector<std::string>& files, const std::string& authorities) {
  std::vector<std::string> texts;
  std::string names;
  for (const std::string& file : files) {
    auto text = os::ReadFile(file, kMaxListBytes);
    if (!text) return std::move(text).error().During("revocation list");
    texts.push_back(std::move(*text));
    names += (names.empty() ? "" : ", ") + file;
  }
  auto list = RevocationList::FromPem(texts, authorities);
  if (!list) return std::move(list).error().During(names);
  return std::make_shared<const RevocationList>(std::move(*list));
}

}  // namespace

struct TlsServerContext::Impl {
  TlsServerFiles files;
  std::unique_ptr<SSL_CTX, FreeContext> context;
  PeerAuthorities authorities;
  std::string authorities_pem;
  std::shared_ptr<Shared> shared;
  Expected<void> Share(std::shared_ptr<Shared> with);

  std::vector<Look> looks;  // of the revocation lists, before they were read
};

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServerContext::~TlsServerContext() = default;

// All but what is shared.
Expected<std::unique_ptr<TlsServerContext::Impl>> TlsServerContext::LoadFiles(
    const TlsServerFiles& files) {
  auto agents_ca = os::ReadFile(files.agents_ca, kMaxPemBytes);
  if (!agents_ca) return std::move(agents_ca).error().During("CA of agents");
  auto servers_ca = os::ReadFile(files.servers_ca, kMaxPemBytes);
  if (!servers_ca) return std::move(servers_ca).error().During("CA of servers");
  auto authorities = PeerAuthorities::FromPem(*agents_ca, *servers_ca);
  if (!authorities) return std::move(authorities).error().During("CA files");

  std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return OpenSslError(Errc::kInternal, "TLS context");
  SSL_CTX* tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Released buffers make an idle connection some 30 KB smaller.
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(tls, 0);
  // Tickets, which cost us no memory, spare a returning herd of agents most of the handshake.
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(tls, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_timeout(tls, kTicketSeconds);
  SSL_CTX_set_num_tickets(tls, 1);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, CheckRevocation);
  if (SSL_CTX_set_tlsext_ticket_key_evp_cb(tls, UseTicketKey) != 1) {
    return OpenSslError(Errc::kInternal, "TLS tickets");
  }
  SSL_CTX_set_alpn_select_cb(tls, ChooseProtocol, nullptr);
  SSL_CTX_set_verify_depth(tls, 1);  // a CA of ours issues leaves, and nothing else

  // Read by ourselves first: OpenSSL's message for a missing file does not name it.
  for (const std::string& file : {files.certificate, files.key}) {
    if (auto text = os::ReadFile(file, kMaxPemBytes); !text) return std::move(text).error();
  }
  if (SSL_CTX_use_certificate_chain_file(tls, files.certificate.c_str()) != 1) {
    return OpenSslError(Errc::kMalformed, files.certificate + ": no certificate in PEM form");
  }
  if (SSL_CTX_use_PrivateKey_file(tls, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return OpenSslError(Errc::kInvalid, files.key + ": no private key of " + files.certificate);
  }
  if (auto ok = TrustCas(tls, *agents_ca, files.agents_ca); !ok) return std::move(ok).error();
  if (auto ok = TrustCas(tls, *servers_ca, files.servers_ca); !ok) return std::move(ok).error();
  return std::make_unique<Impl>(Impl{files,
                                     std::move(context),
                                     std::move(*authorities),
                                     *agents_ca + "\n" + *servers_ca,
                                     nullptr,
                                     {}});
}

Expected<void> TlsServerContext::Impl::Share(std::shared_ptr<Shared> with) {
  auto owned = std::make_unique<std::shared_ptr<Shared>>(with);
  if (SSL_CTX_set_ex_data(context.get(), SharedIndex(), owned.get()) != 1) {
    return OpenSslError(Errc::kInternal, "TLS context");
  }
  owned.release();
  shared = std::move(with);
  return {};
}

Expected<std::shared_ptr<TlsServerContext>> TlsServerContext::Load(
    const TlsServerFiles& files, std::span<const std::string> protocols) {
  auto impl = LoadFiles(files);
  if (!impl) return std::move(impl).error();
  (*impl)->looks = LookAt(files.revocations);
  auto list = ReadRevocations(files.revocations, (*impl)->authorities_pem);
  if (!list) return std::move(list).error();
  auto shared = std::make_shared<Shared>();
  shared->protocols = AlpnList(protocols);
  shared->SetRevocations(std::move(*list));
  if (auto ok = (*impl)->Share(std::move(shared)); !ok) return std::move(ok).error();
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(*impl)));
}

Expected<std::shared_ptr<TlsServerContext>> TlsServerContext::Reload() const {
  auto impl = LoadFiles(impl_->files);
  if (!impl) return std::move(impl).error();
  (*impl)->looks = impl_->looks;
  if (auto ok = (*impl)->Share(impl_->shared); !ok) return std::move(ok).error();
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(*impl)));
}

Expected<void> TlsServerContext::ReloadRevocations(UtcTime now) {
  // Looked at first: what changes while we read is seen the next time.
  impl_->looks = LookAt(impl_->files.revocations);
  auto list = ReadRevocations(impl_->files.revocations, impl_->authorities_pem);
  if (!list) return std::move(list).error();
  if (auto ok = (*list)->MayReplace(*impl_->shared->Revocations(), now); !ok) return ok;
  impl_->shared->SetRevocations(std::move(*list));
  return {};
}

bool TlsServerContext::RevocationsChanged() const {
  return LookAt(impl_->files.revocations) != impl_->looks;
}

UtcTime TlsServerContext::RevocationsExpire() const {
  return impl_->shared->Revocations()->expires();
}

std::size_t TlsServerContext::Revocations() const { return impl_->shared->Revocations()->size(); }

Expected<ssl_st*> TlsServerContext::NewConnection(int socket) const {
  SSL* connection = SSL_new(impl_->context.get());
  if (connection == nullptr || SSL_set_fd(connection, socket) != 1) {
    SSL_free(connection);
    return OpenSslError(Errc::kInternal, "TLS connection");
  }
  SSL_set_accept_state(connection);
  return connection;
}

Expected<void> TlsServerContext::CheckAgain(const ssl_st* connection) const {
  const X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) {
    return Error(Errc::kDenied, "no verified certificate");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) {
    return Error(Errc::kDenied, "the certificate has expired");
  }
  if (impl_->shared->Revocations()->Revokes(certificate)) {
    return Error(Errc::kDenied, "the certificate was revoked");
  }
  return {};
}

Expected<PeerName> TlsServerContext::NameOf(const ssl_st* connection) const {
  // A resumed session is not verified by TLS again: this is.
  if (auto ok = CheckAgain(connection); !ok) return std::move(ok).error();
  return impl_->authorities.NameOf(SSL_get0_peer_certificate(connection));
}

}  // namespace mig
