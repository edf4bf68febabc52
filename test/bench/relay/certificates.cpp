#include "test/bench/relay/certificates.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "util/clock.h"

namespace mig::bench {
namespace {

constexpr std::chrono::hours kValidity{24};

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioRef = std::unique_ptr<BIO, FreeBio>;

BioRef BioOf(const std::string& text) {
  return BioRef(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace

std::string ClientName(std::size_t client) {
  char text[32];
  std::snprintf(text, sizeof text, "bench-%05zu", client);
  return text;
}

TlsIdentity::~TlsIdentity() {
  X509_free(certificate_);
  ForgetTicket();
}

void TlsIdentity::ForgetTicket() {
  SSL_SESSION_free(ticket_);
  ticket_ = nullptr;
}

Expected<std::unique_ptr<Certificates>> Certificates::Make(std::size_t clients) {
  std::unique_ptr<Certificates> made(new Certificates);
  if (auto done = made->MakeFiles(clients); !done) {
    return std::move(done).error().During("certificates");
  }
  return made;
}

Expected<void> Certificates::MakeFiles(std::size_t clients) {
  std::string pattern = (std::filesystem::temp_directory_path() / "mig-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return Error(Errc::kIo, "make " + pattern);
  folder_ = pattern;
  const UtcTime now = Now();
  auto servers = MakeCa("bench servers", now, kValidity);
  if (!servers) return std::move(servers).error();
  auto agents = MakeCa("bench agents", now, kValidity);
  if (!agents) return std::move(agents).error();
  LeafRequest relay;
  relay.name = {"relay", "relay-1"};
  relay.dns_names = {"localhost", "127.0.0.1"};
  relay.server = true;
  auto leaf = IssueLeaf(*servers, relay, now);
  if (!leaf) return std::move(leaf).error();
  std::ofstream(folder_ / "servers-ca.crt") << servers->certificate;
  std::ofstream(folder_ / "agents-ca.crt") << agents->certificate;
  std::ofstream(folder_ / "all-ca.crt") << servers->certificate << agents->certificate;
  std::ofstream(folder_ / "relay.crt") << leaf->certificate << servers->certificate;
  std::ofstream(folder_ / "relay.key") << leaf->key;

  auto key = MakeP256Key();
  if (!key) return std::move(key).error();
  key_ = PEM_read_bio_PrivateKey(BioOf(*key).get(), nullptr, nullptr, nullptr);
  auto request = MakeCertificateRequest(*key, "bench");
  if (!request) return std::move(request).error();
  for (std::size_t i = 0; i < clients; ++i) {
    LeafRequest agent;
    agent.name = {"agent", ClientName(i)};
    auto certificate = SignCertificateRequest(*agents, *request, agent, now);
    if (!certificate) return std::move(certificate).error();
    identities_.push_back(std::make_unique<TlsIdentity>(
        PEM_read_bio_X509(BioOf(*certificate).get(), nullptr, nullptr, nullptr)));
  }

  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr || key_ == nullptr ||
      SSL_CTX_load_verify_locations(context_, File("servers-ca.crt").c_str(), nullptr) != 1) {
    return Error(Errc::kInternal, "TLS context");
  }
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context_,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, [](SSL* connection, SSL_SESSION* session) {
    auto* identity = static_cast<TlsIdentity*>(SSL_get_app_data(connection));
    identity->ForgetTicket();
    identity->ticket_ = session;
    return 1;  // kept
  });
  return {};
}

Certificates::~Certificates() {
  SSL_CTX_free(context_);
  EVP_PKEY_free(key_);
  std::error_code ignored;  // a folder left in /tmp spoils no figure
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

ssl_st* Certificates::NewConnection(int socket, TlsIdentity& identity) const {
  SSL* connection = SSL_new(context_);
  SSL_set_app_data(connection, &identity);
  SSL_use_certificate(connection, identity.certificate_);
  SSL_use_PrivateKey(connection, key_);
  if (identity.ticket_ != nullptr) SSL_set_session(connection, identity.ticket_);
  SSL_set_fd(connection, socket);
  SSL_set_connect_state(connection);
  return connection;
}

}  // namespace mig::bench
