#include "crypto/rsa_public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <bit>
#include <cstdint>
#include <memory>

#include "crypto/openssl_handle.h"

namespace mig {
namespace {

constexpr char kSequence = 0x30;
constexpr char kInteger = 0x02;
constexpr std::uint64_t kMinExponent = 65537;

using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

const unsigned char* Unsigned(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::size_t BitsOf(BytesView number) {
  if (number.empty()) return 0;
  return (number.size() - 1) * 8 +
         static_cast<std::size_t>(std::bit_width(static_cast<unsigned char>(number.front())));
}
bool IsOdd(BytesView number) { return !number.empty() && (number.back() & 1) != 0; }

// One DER element, header and content (X.690 section 8.1, lengths as in 10.1).
Bytes Element(char tag, BytesView content) {
  Bytes out(1, tag);
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    Bytes size;
    for (std::size_t left = content.size(); left != 0; left >>= 8) {
      size.insert(size.begin(), static_cast<char>(left & 0xFF));
    }
    out += static_cast<char>(0x80 | size.size());
    out += size;
  }
  return out.append(content);
}

// A positive INTEGER: a zero octet stands in front where the first bit is set.
Bytes Integer(BytesView number) {
  Bytes content;
  if ((number.front() & 0x80) != 0) content += '\0';
  return Element(kInteger, content.append(number));
}

// Reads one element with any length form; what is not canonical shows when it is written again.
BytesView TakeElement(BytesView& rest, char tag) {
  if (rest.size() < 2 || rest.front() != tag) return {};
  std::size_t size = static_cast<unsigned char>(rest[1]);
  std::size_t header = 2;
  if (size >= 0x80) {
    const std::size_t octets = size & 0x7F;
    if (octets == 0 || octets > 2 || rest.size() < 2 + octets) return {};
    size = 0;
    for (; header < 2 + octets; ++header)
      size = size << 8 | static_cast<unsigned char>(rest[header]);
  }
  if (rest.size() - header < size) return {};
  const BytesView content = rest.substr(header, size);
  rest.remove_prefix(header + size);
  return content;
}

BytesView WithoutZeros(BytesView number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  return number;
}

Key MakeKey(BytesView modulus, BytesView exponent) {
  const Number n(BN_bin2bn(Unsigned(modulus), static_cast<int>(modulus.size()), nullptr));
  const Number e(BN_bin2bn(Unsigned(exponent), static_cast<int>(exponent.size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

const EVP_MD* AcceptedDigest(DigestKind kind) {
  switch (kind) {
    case DigestKind::kSha256:
      return EVP_sha256();
    case DigestKind::kSha384:
      return EVP_sha384();
    case DigestKind::kSha512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

}  // namespace

Expected<RsaPublicKey> RsaPublicKey::FromNumbers(BytesView modulus, BytesView exponent,
                                                 std::size_t min_bits) {
  const std::size_t bits = BitsOf(modulus);
  if (bits < min_bits || bits > kMaxBits) {
    return Error(Errc::kInvalid, "RSA key: it has " + std::to_string(bits) + " bits; " +
                                     std::to_string(min_bits) + " to " + std::to_string(kMaxBits) +
                                     " are accepted");
  }
  if (!IsOdd(modulus)) return Error(Errc::kInvalid, "RSA key: the modulus is even");
  std::uint64_t e = 0;
  if (exponent.size() <= 4) {
    for (const char c : exponent) e = e << 8 | static_cast<unsigned char>(c);
  }
  if (e < kMinExponent || !IsOdd(exponent)) {
    return Error(Errc::kInvalid, "RSA key: the exponent is even or not 65537 to 4294967295");
  }
  return RsaPublicKey(modulus, exponent);
}

Expected<RsaPublicKey> RsaPublicKey::FromDer(BytesView der) {
  BytesView rest = der;
  BytesView sequence = TakeElement(rest, kSequence);
  const BytesView modulus = WithoutZeros(TakeElement(sequence, kInteger));
  const BytesView exponent = WithoutZeros(TakeElement(sequence, kInteger));
  if (modulus.empty() || exponent.empty()) {
    return Error(Errc::kMalformed, "RSA key: not an RSAPublicKey in DER (RFC 8017, A.1.1)");
  }
  auto key = FromNumbers(modulus, exponent);
  // Covers in one comparison whatever else DER forbids: a negative number, long lengths, zeros in
  // front, bytes behind.
  if (key && key->Der() != der) {
    return Error(Errc::kMalformed, "RSA key: not in the one form that DER permits");
  }
  return key;
}

Bytes RsaPublicKey::Der() const {
  return Element(kSequence, Integer(modulus_) + Integer(exponent_));
}

bool RsaPublicKey::VerifyPkcs1(DigestKind kind, BytesView digest, BytesView signature) const {
  const EVP_MD* const md = AcceptedDigest(kind);
  if (md == nullptr || digest.size() != DigestBytes(kind) || signature.size() != modulus_.size()) {
    return false;
  }
  const Key key = MakeKey(modulus_, exponent_);
  const Context context(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
  const bool good = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(context.get(), md) == 1 &&
                    EVP_PKEY_verify(context.get(), Unsigned(signature), signature.size(),
                                    Unsigned(digest), digest.size()) == 1;
  // An entry left in this thread's queue would be taken for the failure of the next TLS connection.
  ERR_clear_error();
  return good;
}

}  // namespace mig
