#include "net/tls_server_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "os/files.h"

namespace mig {
namespace {

constexpr std::size_t kMaxPemBytes = 1 << 20;
// For how long a client may resume without showing its certificate again.
constexpr long kTicketSeconds = 3600;
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

// `ours` points to an AlpnList.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void* ours) {
  const auto& list = *static_cast<const Bytes*>(ours);
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(
      &found, chosen_size, reinterpret_cast<const unsigned char*>(list.data()),
      static_cast<unsigned>(list.size()), offered, offered_size);
  *chosen = found;
  // Carrying on with what the client did not mean is how one protocol is attacked through another.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

struct TlsServerContext::Impl {
  Bytes protocols;  // AlpnList; the context points to it
  std::unique_ptr<SSL_CTX, FreeContext> context;
  PeerAuthorities authorities;
};

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServerContext::~TlsServerContext() = default;

Expected<std::shared_ptr<TlsServerContext>> TlsServerContext::Load(
    const TlsServerFiles& files, std::span<const std::string> protocols) {
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
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
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
  auto impl = std::make_unique<Impl>(
      Impl{AlpnList(protocols), std::move(context), std::move(*authorities)});
  SSL_CTX_set_alpn_select_cb(tls, &ChooseProtocol, &impl->protocols);
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(impl)));
}

Expected<ssl_st*> TlsServerContext::NewConnection(int socket) const {
  SSL* connection = SSL_new(impl_->context.get());
  if (connection == nullptr || SSL_set_fd(connection, socket) != 1) {
    SSL_free(connection);
    return OpenSslError(Errc::kInternal, "TLS connection");
  }
  SSL_set_accept_state(connection);
  return connection;
}

Expected<PeerName> TlsServerContext::NameOf(const ssl_st* connection) const {
  const X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) {
    return Error(Errc::kDenied, "no verified certificate");
  }
  // A resumed session is not verified again: it must not outlive its certificate.
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) {
    return Error(Errc::kDenied, "the certificate has expired");
  }
  return impl_->authorities.NameOf(certificate);
}

}  // namespace mig
