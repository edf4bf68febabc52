#include "crypto/openpgp_cipher.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "crypto/openssl_handle.h"

namespace mig::openpgp {
namespace {

constexpr std::uint8_t kEax = 1;
constexpr std::uint8_t kOcb = 2;
constexpr std::uint8_t kGcm = 3;

using Context = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Free<EVP_CIPHER_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Free<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Free<EVP_KDF_CTX_free>>;

unsigned char* Unsigned(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* Unsigned(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Only a libcrypto without the algorithm fails, and ours is linked in.
void Require(bool holds) {
  if (!holds) std::abort();
}

Cipher Fetch(std::size_t key_bytes, const char* mode) {
  const std::string name = "AES-" + std::to_string(key_bytes * 8) + "-" + mode;
  Cipher cipher(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
  Require(cipher != nullptr);
  return cipher;
}

}  // namespace

Expected<std::size_t> CipherKeyBytes(std::uint8_t cipher) {
  switch (cipher) {
    case 7:
      return std::size_t{16};
    case 8:
      return std::size_t{24};
    case kAes256:
      return std::size_t{32};
    default:
      return Error(Errc::kUnsupported, "OpenPGP secret key: it is encrypted with cipher " +
                                           std::to_string(cipher) +
                                           "; AES is read (`gpg --s2k-cipher-algo AES256 "
                                           "--export-secret-keys` or `--passwd` changes it)");
  }
}

Expected<std::size_t> AeadNonceBytes(std::uint8_t aead) {
  switch (aead) {
    case kOcb:
      return std::size_t{15};
    case kGcm:
      return std::size_t{12};
    default:
      return Error(Errc::kUnsupported,
                   "OpenPGP secret key: it is sealed with " +
                       (aead == kEax ? std::string("EAX") : "AEAD mode " + std::to_string(aead)) +
                       "; OCB and GCM are read");
  }
}

Wiped Cfb(CfbWay way, std::uint8_t cipher, BytesView key, BytesView initial, BytesView text) {
  Require(key.size() == *CipherKeyBytes(cipher) && initial.size() == kAesBlockBytes);
  const Cipher aes = Fetch(key.size(), "CFB");
  const Context context(EVP_CIPHER_CTX_new());
  Wiped out(text.size());
  int size = 0;
  Require(context &&
          EVP_CipherInit_ex2(context.get(), aes.get(), Unsigned(key), Unsigned(initial),
                             way == CfbWay::kEncrypt ? 1 : 0, nullptr) == 1 &&
          EVP_CipherUpdate(context.get(), Unsigned(out.bytes), &size, Unsigned(text),
                           static_cast<int>(text.size())) == 1);
  return out;
}

std::optional<Wiped> OpenAead(std::uint8_t cipher, std::uint8_t aead, BytesView key,
                              BytesView nonce, BytesView vouched_for, BytesView sealed) {
  Require(key.size() == *CipherKeyBytes(cipher) && nonce.size() == *AeadNonceBytes(aead));
  if (sealed.size() < kAeadTagBytes) return std::nullopt;
  const Cipher aes = Fetch(key.size(), aead == kOcb ? "OCB" : "GCM");
  const Context context(EVP_CIPHER_CTX_new());
  Require(context != nullptr);
  const BytesView text = sealed.substr(0, sealed.size() - kAeadTagBytes);
  Bytes tag(sealed.substr(text.size()));
  std::size_t nonce_bytes = nonce.size();
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_bytes),
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
      OSSL_PARAM_construct_end()};
  Wiped out(text.size() + kAesBlockBytes);
  int ignored = 0;
  int size = 0;
  int last = 0;
  // The size of the nonce first: key and nonce are set up for it. OCB takes its tag only then too.
  Require(EVP_DecryptInit_ex2(context.get(), aes.get(), nullptr, nullptr, parameters) == 1 &&
          EVP_DecryptInit_ex2(context.get(), nullptr, Unsigned(key), Unsigned(nonce), nullptr) ==
              1);
  const bool good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                                        static_cast<int>(tag.size()), tag.data()) == 1 &&
                    EVP_DecryptUpdate(context.get(), nullptr, &ignored, Unsigned(vouched_for),
                                      static_cast<int>(vouched_for.size())) == 1 &&
                    EVP_DecryptUpdate(context.get(), Unsigned(out.bytes), &size, Unsigned(text),
                                      static_cast<int>(text.size())) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), Unsigned(out.bytes) + size, &last) == 1;
  ERR_clear_error();  // not to be taken for the failure of the next TLS connection
  if (!good) return std::nullopt;
  out.bytes.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return out;
}

Wiped Hkdf(BytesView secret, BytesView info, std::size_t size) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  Require(kdf != nullptr);
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  Require(context != nullptr);
  char digest[] = "SHA2-256";
  Wiped key{Bytes(secret)};
  Bytes about(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.bytes.data(), key.bytes.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, about.data(), about.size()),
      OSSL_PARAM_construct_end()};
  Wiped out(size);
  Require(EVP_KDF_derive(context.get(), Unsigned(out.bytes), size, parameters) == 1);
  return out;
}

}  // namespace mig::openpgp
