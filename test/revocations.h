// Revocation lists for tests: what a CA's tool would write (OpenSSL).
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "crypto/certificate.h"

namespace mig {

struct RevocationRequest {
  std::vector<std::string> revoked;  // certificates, PEM
  UtcTime made;
  std::chrono::seconds validity = std::chrono::hours(24);
  int critical_extension = 0;  // NID_delta_crl, …; 0: none
};

inline std::string MakeRevocationList(const KeyPairPem& ca, const RevocationRequest& request) {
  const auto bio = [](const std::string& text) {
    return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  };
  const auto seconds = [](UtcTime time) -> time_t {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  BIO* certificate = bio(ca.certificate);
  BIO* key_text = bio(ca.key);
  X509* issuer = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
  REQUIRE(issuer != nullptr);
  REQUIRE(key != nullptr);
  X509_CRL* list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
  ASN1_TIME* time = ASN1_TIME_new();
  X509_CRL_set1_lastUpdate(list, ASN1_TIME_set(time, seconds(request.made)));
  X509_CRL_set1_nextUpdate(list, ASN1_TIME_set(time, seconds(request.made + request.validity)));
  for (const std::string& pem : request.revoked) {
    BIO* text = bio(pem);
    X509* leaf = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    REQUIRE(leaf != nullptr);
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(leaf));
    X509_REVOKED_set_revocationDate(entry, ASN1_TIME_set(time, seconds(request.made)));
    X509_CRL_add0_revoked(list, entry);
    X509_free(leaf);
    BIO_free(text);
  }
  if (request.critical_extension != 0) {
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 1);
    X509_CRL_add1_ext_i2d(list, request.critical_extension, number, 1, 0);
    ASN1_INTEGER_free(number);
  }
  X509_CRL_sort(list);
  REQUIRE(X509_CRL_sign(list, key, EVP_sha256()) > 0);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(out, list);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  for (BIO* each : {out, certificate, key_text}) BIO_free(each);
  ASN1_TIME_free(time);
  X509_CRL_free(list);
  EVP_PKEY_free(key);
  X509_free(issuer);
  return pem;
}

}  // namespace mig
