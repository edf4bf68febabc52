#include "net/tls_client.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <boost/asio/ssl/context.hpp>
#include <filesystem>

#include "crypto/digest.h"

namespace mig {
namespace {

namespace ssl = boost::asio::ssl;

Bytes PinOf(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  Bytes pin = Sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return pin;
}

// The pin travels with the connection: verification has no other way to it.
int PinIndex() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<Bytes*>(value);
      });
  return index;
}

// With a pin there is no CA file, so OpenSSL finds the root that the server sent and calls it
// unknown. If its key is the pinned one, it is the one we believe; all other checks (signatures,
// dates, purpose, host) have been and will be made by OpenSSL.
int BelievePinned(int good, X509_STORE_CTX* store) {
  if (good == 1 || X509_STORE_CTX_get_error(store) != X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) {
    return good;
  }
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* pin = static_cast<const Bytes*>(SSL_get_ex_data(ssl, PinIndex()));
  const X509* root = X509_STORE_CTX_get_current_cert(store);
  if (pin == nullptr || root == nullptr || PinOf(root) != *pin) return 0;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

bool IsAddress(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

Expected<std::shared_ptr<ssl::context>> MakeTlsClientContext(const TlsTrust& trust) {
  if (trust.ca_file.empty() == trust.ca_pin.empty()) {
    return Error(Errc::kInvalid, "TLS needs the file of a CA, or its pin, and not both");
  }
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");  // of TLS 1.2; 1.3 has only good
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  if (trust.ca_file.empty()) {
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, &BelievePinned);
    return context;
  }
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  boost::system::error_code error;
  context->load_verify_file(trust.ca_file, error);
  if (error) {
    std::error_code status;
    if (!std::filesystem::exists(trust.ca_file, status)) {
      return Error(Errc::kIo, trust.ca_file + ": the CA's certificate is not there");
    }
    return Error(Errc::kMalformed,
                 trust.ca_file + ": not a certificate in PEM (" + error.message() + ")");
  }
  return context;
}

void ExpectServer(SSL* ssl, const std::string& host, const TlsTrust& trust) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  if (IsAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size());
    // The macro SSL_set_tlsext_host_name without its C cast.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  if (!trust.ca_pin.empty()) SSL_set_ex_data(ssl, PinIndex(), new Bytes(trust.ca_pin));
}

std::string CertificateProblem(const SSL* ssl) {
  const long problem = SSL_get_verify_result(ssl);
  return problem == X509_V_OK ? "" : X509_verify_cert_error_string(problem);
}

}  // namespace mig
