#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "util/encoding.h"

using namespace mig;

namespace {

using std::chrono::hours;
const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

Certificate Load(std::string_view pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  REQUIRE(certificate);
  return certificate;
}

// What OpenSSL's own verification says, as a TLS peer would ask it.
int VerifyCode(std::string_view leaf, std::string_view ca, int purpose, UtcTime when,
               const char* host = nullptr) {
  const Certificate leaf_certificate = Load(leaf);
  const Certificate ca_certificate = Load(ca);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca_certificate.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf_certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count());
  if (host != nullptr && X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1) {
    X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  }
  X509_verify_cert(context);
  const int code = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  ERR_clear_error();
  return code;
}

const KeyPairPem& AgentsCa() {
  static const KeyPairPem ca = *MakeCa("agents of the test", kNow, hours(24 * 3650));
  return ca;
}
const KeyPairPem& ServersCa() {
  static const KeyPairPem ca = *MakeCa("servers of the test", kNow, hours(24 * 3650));
  return ca;
}

LeafRequest Relay() {
  LeafRequest request{{"relay", "relay-1"}, {"localhost", "127.0.0.1", "::1"}, true};
  return request;
}

// A certificate with these URI names and nothing else that matters; null-terminated or not.
std::string WithUris(const std::vector<std::string>& uris) {
  X509* certificate = X509_new();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509_set_version(certificate, X509_VERSION_3);
  X509_set_pubkey(certificate, key);
  ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate), 4'000'000'000);
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  for (const std::string& uri : uris) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, uri.data(), static_cast<int>(uri.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    sk_GENERAL_NAME_push(names, name);
  }
  X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
  X509_sign(certificate, key, EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  X509_free(certificate);
  return pem;
}

}  // namespace

TEST_CASE("certificate: a server's chain verifies, for its names and both purposes", "[crypto]") {
  const KeyPairPem relay = *IssueLeaf(ServersCa(), Relay(), kNow);
  const std::string& ca = ServersCa().certificate;
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    INFO(host);
    CHECK(VerifyCode(relay.certificate, ca, X509_PURPOSE_SSL_SERVER, kNow, host) == X509_V_OK);
  }
  CHECK(VerifyCode(relay.certificate, ca, X509_PURPOSE_SSL_CLIENT, kNow) == X509_V_OK);
  CHECK(VerifyCode(relay.certificate, ca, X509_PURPOSE_SSL_SERVER, kNow, "example.net") ==
        X509_V_ERR_HOSTNAME_MISMATCH);
  CHECK(VerifyCode(relay.certificate, AgentsCa().certificate, X509_PURPOSE_SSL_SERVER, kNow) !=
        X509_V_OK);
}

TEST_CASE("certificate: an agent's certificate is no server's", "[crypto]") {
  const KeyPairPem agent = *IssueLeaf(AgentsCa(), {{"agent", "abc"}}, kNow);
  const std::string& ca = AgentsCa().certificate;
  CHECK(VerifyCode(agent.certificate, ca, X509_PURPOSE_SSL_CLIENT, kNow) == X509_V_OK);
  CHECK(VerifyCode(agent.certificate, ca, X509_PURPOSE_SSL_SERVER, kNow) != X509_V_OK);
}

TEST_CASE("certificate: valid from five minutes before, until its end or the CA's", "[crypto]") {
  LeafRequest request{{"agent", "abc"}, {}, false, hours(24)};
  const KeyPairPem leaf = *IssueLeaf(AgentsCa(), request, kNow);
  const auto at = [&](UtcTime when) {
    return VerifyCode(leaf.certificate, AgentsCa().certificate, X509_PURPOSE_SSL_CLIENT, when);
  };
  CHECK(at(kNow - std::chrono::minutes(4)) == X509_V_OK);
  CHECK(at(kNow - std::chrono::minutes(6)) != X509_V_OK);
  CHECK(at(kNow + hours(23)) == X509_V_OK);
  CHECK(at(kNow + hours(25)) == X509_V_ERR_CERT_HAS_EXPIRED);
  CHECK(*NotAfter(leaf.certificate) == kNow + hours(24));
  CHECK(*NotBefore(leaf.certificate) == kNow - std::chrono::minutes(5));

  // One that lives shorter than an hour must not seem half used up from the start.
  request.validity = std::chrono::minutes(2);
  const KeyPairPem short_lived = *IssueLeaf(AgentsCa(), request, kNow);
  CHECK(*NotBefore(short_lived.certificate) == kNow - std::chrono::seconds(10));
  CHECK(*NotAfter(short_lived.certificate) == kNow + std::chrono::minutes(2));
  request.validity = hours(24);

  const KeyPairPem brief = *MakeCa("brief", kNow, hours(2));
  CHECK(*NotAfter(IssueLeaf(brief, request, kNow)->certificate) == kNow + hours(2));
  const auto too_late = IssueLeaf(brief, request, kNow + hours(3));
  REQUIRE_FALSE(too_late);
  CHECK(too_late.error().code() == Errc::kExpired);
}

TEST_CASE("certificate: a leaf cannot issue, though it holds a key", "[crypto]") {
  const KeyPairPem agent = *IssueLeaf(AgentsCa(), {{"agent", "abc"}}, kNow);
  const auto forged = IssueLeaf(agent, {{"agent", "other"}}, kNow);
  REQUIRE(forged);  // anybody can make such bytes
  const Certificate leaf = Load(forged->certificate);
  const Certificate middle = Load(agent.certificate);
  const Certificate root = Load(AgentsCa().certificate);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  STACK_OF(X509)* between = sk_X509_new_null();
  sk_X509_push(between, middle.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), between);
  X509_VERIFY_PARAM_set_time(
      X509_STORE_CTX_get0_param(context),
      std::chrono::floor<std::chrono::seconds>(kNow).time_since_epoch().count());
  CHECK(X509_verify_cert(context) != 1);
  X509_STORE_CTX_free(context);
  sk_X509_free(between);
  X509_STORE_free(store);
}

TEST_CASE("certificate: extensions are what each kind needs and no more", "[crypto]") {
  const Certificate ca = Load(AgentsCa().certificate);
  CHECK(X509_check_ca(ca.get()) == 1);
  CHECK(X509_get_pathlen(ca.get()) == 0);
  CHECK(X509_get_key_usage(ca.get()) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  const Certificate agent = Load(IssueLeaf(AgentsCa(), {{"agent", "abc"}}, kNow)->certificate);
  CHECK(X509_check_ca(agent.get()) == 0);
  CHECK(X509_get_key_usage(agent.get()) == KU_DIGITAL_SIGNATURE);
  CHECK(X509_get_extended_key_usage(agent.get()) == XKU_SSL_CLIENT);
  const Certificate relay = Load(IssueLeaf(ServersCa(), Relay(), kNow)->certificate);
  CHECK(X509_get_extended_key_usage(relay.get()) == (XKU_SSL_CLIENT | XKU_SSL_SERVER));
  CHECK(X509_get_signature_nid(relay.get()) == NID_ecdsa_with_SHA256);
  CHECK(ASN1_STRING_length(X509_get0_serialNumber(relay.get())) >= 12);
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(relay.get()),
                         X509_get0_serialNumber(agent.get())) != 0);
}

TEST_CASE("certificate: the peer's name is the one URI of our form", "[crypto]") {
  const KeyPairPem relay = *IssueLeaf(ServersCa(), Relay(), kNow);
  const auto name = PeerNameOfPem(relay.certificate);
  REQUIRE(name);
  CHECK(name->role == "relay");
  CHECK(name->id == "relay-1");
  CHECK(PeerNameOfPem(WithUris({"mig:role/agent/" + std::string(64, 'a')})));

  const std::vector<std::vector<std::string>> bad = {{},
                                                     {"mig:role/agent/a", "mig:role/relay/b"},
                                                     {"mig:role/agent/a", "https://example.net"},
                                                     {"mig:role/agent/"},
                                                     {"mig:role/agent"},
                                                     {"mig:role//a"},
                                                     {"mig:role/Agent/a"},
                                                     {"mig:role/agent/A"},
                                                     {"mig:role/agent/a/b"},
                                                     {"mig:role/agent/" + std::string(65, 'a')},
                                                     {std::string("mig:role/agent/a\0b", 18)},
                                                     {std::string("mig:role/agent/a\0", 17)},
                                                     {"mig:role/agent/a\n"},
                                                     {"xmig:role/agent/a"},
                                                     {"mig:rolf/agent/a"}};
  for (const auto& uris : bad) {
    INFO((uris.empty() ? "none" : uris[0]));
    const auto refused = PeerNameOfPem(WithUris(uris));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::kMalformed);
  }
  CHECK_FALSE(PeerNameOfPem(AgentsCa().certificate));
  CHECK_FALSE(PeerNameOfPem("-----BEGIN CERTIFICATE-----\n"));
}

TEST_CASE("certificate: a role counts only from the CA that may give it", "[crypto]") {
  const auto authorities =
      PeerAuthorities::FromPem(AgentsCa().certificate, ServersCa().certificate);
  REQUIRE(authorities);
  const auto issued = [](const KeyPairPem& ca, const char* role) {
    return IssueLeaf(ca, {{role, "x"}}, kNow)->certificate;
  };
  CHECK(authorities->NameOfPem(issued(AgentsCa(), "agent"))->role == "agent");
  CHECK(authorities->NameOfPem(issued(ServersCa(), "scheduler"))->role == "scheduler");
  // The agents' CA is online in the API: whoever holds it must not become a relay or scheduler.
  for (const char* role : {"relay", "scheduler", "api"}) {
    const auto refused = authorities->NameOfPem(issued(AgentsCa(), role));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::kDenied);
  }
  CHECK_FALSE(authorities->NameOfPem(issued(ServersCa(), "agent")));
  // A CA of the same name and another key.
  const KeyPairPem imposter = *MakeCa("agents of the test", kNow, hours(24));
  CHECK_FALSE(authorities->NameOfPem(issued(imposter, "agent")));
}

TEST_CASE("certificate: of a chain that TLS has verified a role counts from its own CA only",
          "[crypto]") {
  const auto role_given_by = [](const PeerAuthorities& authorities, const KeyPairPem& ca,
                                const char* role) {
    return authorities.NameOf(Load(IssueLeaf(ca, {{role, "x"}}, kNow)->certificate).get())
        .has_value();
  };
  const auto authorities =
      PeerAuthorities::FromPem(AgentsCa().certificate, ServersCa().certificate);
  REQUIRE(authorities);
  CHECK(role_given_by(*authorities, AgentsCa(), "agent"));
  CHECK(role_given_by(*authorities, ServersCa(), "relay"));
  CHECK_FALSE(role_given_by(*authorities, AgentsCa(), "relay"));
  CHECK_FALSE(role_given_by(*authorities, ServersCa(), "agent"));

  // Where both have one name, that name says nothing, and the signature decides.
  const KeyPairPem servers = *MakeCa("agents of the test", kNow, hours(24));
  const auto alike = PeerAuthorities::FromPem(AgentsCa().certificate, servers.certificate);
  REQUIRE(alike);
  CHECK(role_given_by(*alike, AgentsCa(), "agent"));
  CHECK(role_given_by(*alike, servers, "relay"));
  CHECK_FALSE(role_given_by(*alike, AgentsCa(), "relay"));
  CHECK_FALSE(role_given_by(*alike, servers, "agent"));
}

TEST_CASE("certificate: authorities may be several while a CA is replaced", "[crypto]") {
  const KeyPairPem next = *MakeCa("agents of the test, next", kNow, hours(24));
  const auto authorities =
      PeerAuthorities::FromPem(AgentsCa().certificate + next.certificate, ServersCa().certificate);
  REQUIRE(authorities);
  CHECK(authorities->NameOfPem(IssueLeaf(next, {{"agent", "x"}}, kNow)->certificate));
  CHECK(authorities->NameOfPem(IssueLeaf(AgentsCa(), {{"agent", "x"}}, kNow)->certificate));
  CHECK_FALSE(PeerAuthorities::FromPem("", ServersCa().certificate));
  CHECK_FALSE(PeerAuthorities::FromPem(
      AgentsCa().certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      ServersCa().certificate));
  const KeyPairPem leaf = *IssueLeaf(AgentsCa(), {{"agent", "x"}}, kNow);
  CHECK_FALSE(PeerAuthorities::FromPem(leaf.certificate, ServersCa().certificate));
}

TEST_CASE("certificate: a request is signed under the name we give, not the one it asks for",
          "[crypto]") {
  const std::string key = *MakeP256Key();
  const std::string csr = *MakeCertificateRequest(key, "relay-1");
  const auto certificate = SignCertificateRequest(AgentsCa(), csr, {{"agent", "abc"}}, kNow);
  REQUIRE(certificate);
  CHECK(PeerNameOfPem(*certificate)->id == "abc");
  CHECK(certificate->find("relay") == std::string::npos);
  CHECK(VerifyCode(*certificate, AgentsCa().certificate, X509_PURPOSE_SSL_CLIENT, kNow) ==
        X509_V_OK);
  const Certificate made = Load(*certificate);
  BIO* bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* own = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  CHECK(X509_check_private_key(made.get(), own) == 1);
  EVP_PKEY_free(own);
  BIO_free(bio);
}

TEST_CASE("certificate: a request without the key's signature, or off P-256, is denied",
          "[crypto]") {
  // A good request with its last byte (of the signature) changed.
  const std::string csr = *MakeCertificateRequest(*MakeP256Key(), "x");
  BIO* bio = BIO_new_mem_buf(csr.data(), static_cast<int>(csr.size()));
  unsigned char* der = nullptr;
  char* name = nullptr;
  char* header = nullptr;
  long size = 0;
  REQUIRE(PEM_read_bio(bio, &name, &header, &der, &size) == 1);
  der[size - 1] ^= 1;
  BIO_free(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio(bio, name, header, der, size);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  const std::string altered(data, static_cast<std::size_t>(length));
  BIO_free(bio);
  OPENSSL_free(der);
  OPENSSL_free(name);
  OPENSSL_free(header);
  const auto denied = SignCertificateRequest(AgentsCa(), altered, {{"agent", "abc"}}, kNow);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code() == Errc::kDenied);

  for (EVP_PKEY* key : {EVP_RSA_gen(2048), EVP_EC_gen("P-384")}) {
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    const long key_length = BIO_get_mem_data(bio, &data);
    const auto other =
        MakeCertificateRequest(std::string_view(data, static_cast<std::size_t>(key_length)), "x");
    BIO_free(bio);
    EVP_PKEY_free(key);
    REQUIRE(other);
    CHECK(SignCertificateRequest(AgentsCa(), *other, {{"agent", "abc"}}, kNow).error().code() ==
          Errc::kDenied);
  }
  CHECK(SignCertificateRequest(AgentsCa(), "", {{"agent", "abc"}}, kNow).error().code() ==
        Errc::kMalformed);
}

TEST_CASE("certificate: names that OpenSSL's configuration language would read are refused",
          "[crypto]") {
  for (const char* host : {"a,DNS:b", "", "a b", "a\nb", "*.example.net", "email:copy,x"}) {
    LeafRequest request = Relay();
    request.dns_names = {host};
    CHECK(IssueLeaf(ServersCa(), request, kNow).error().code() == Errc::kInvalid);
  }
  for (const char* id : {"", "A", "a/b", "a b", "a,b"}) {
    CHECK(IssueLeaf(ServersCa(), {{"relay", id}}, kNow).error().code() == Errc::kInvalid);
  }
  CHECK_FALSE(IssueLeaf(ServersCa(), {{"Relay", "x"}}, kNow));
  CHECK_FALSE(IssueLeaf(ServersCa(), {{"relay", "x"}, {}, false, hours(0)}, kNow));
}

TEST_CASE("certificate: key and certificate of two CAs do not issue", "[crypto]") {
  const KeyPairPem mixed{AgentsCa().key, ServersCa().certificate};
  CHECK(IssueLeaf(mixed, Relay(), kNow).error().code() == Errc::kInvalid);
}

TEST_CASE("certificate: an encrypted key is refused without asking the terminal", "[crypto]") {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  CHECK(MakeCertificateRequest(pem, "x").error().code() == Errc::kMalformed);
}

TEST_CASE("certificate: the pin is the digest of the public key's DER", "[crypto]") {
  const Certificate ca = Load(AgentsCa().certificate);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(ca.get()), &der);
  CHECK(*SpkiPin(AgentsCa().certificate) ==
        Sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
  CHECK(*SpkiPin(AgentsCa().certificate) != *SpkiPin(ServersCa().certificate));
}

TEST_CASE("certificate: it is known which key it is of", "[crypto]") {
  const KeyPairPem one = *IssueLeaf(AgentsCa(), Relay(), kNow);
  const KeyPairPem other = *IssueLeaf(AgentsCa(), Relay(), kNow);
  CHECK(*IsCertificateOf(one.certificate, one.key));
  CHECK_FALSE(*IsCertificateOf(one.certificate, other.key));
  CHECK_FALSE(IsCertificateOf(one.certificate, "x"));
  CHECK_FALSE(IsCertificateOf("x", one.key));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("certificate: failures leave nothing in OpenSSL's error queue", "[crypto]") {
  // An entry left behind would be taken for the next TLS connection's failure.
  CHECK_FALSE(PeerNameOfPem("x"));
  CHECK_FALSE(PeerNameOfPem(AgentsCa().certificate));
  CHECK(IssueLeaf(ServersCa(), Relay(), kNow));
  CHECK_FALSE(PeerAuthorities::FromPem("x", "y"));
  CHECK(PeerAuthorities::FromPem(AgentsCa().certificate, ServersCa().certificate));
  CHECK_FALSE(NotAfter(""));
  CHECK(ERR_peek_error() == 0);
}
