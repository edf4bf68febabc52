#include "crypto/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace mig {
namespace {

struct Algorithm {
  const char* fetched_as;  // OpenSSL's name
  std::size_t bytes;
  std::string_view name;
};

// In the order of DigestKind.
constexpr std::array<Algorithm, 9> kAlgorithms = {{
    {"MD5", 16, "md5"},
    {"SHA1", 20, "sha1"},
    {"SHA2-256", 32, "sha256"},
    {"SHA2-384", 48, "sha384"},
    {"SHA2-512", 64, "sha512"},
    {"SHA3-224", 28, "sha3-224"},
    {"SHA3-256", 32, "sha3-256"},
    {"SHA3-384", 48, "sha3-384"},
    {"SHA3-512", 64, "sha3-512"},
}};

const Algorithm& AlgorithmOf(DigestKind kind) {
  return kAlgorithms[static_cast<std::size_t>(kind)];
}

// Fetching by name walks the providers each time: three times slower than hashing a small file.
const EVP_MD* Fetched(DigestKind kind) {
  static const auto fetched = [] {
    std::array<const EVP_MD*, kAlgorithms.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = EVP_MD_fetch(nullptr, kAlgorithms[i].fetched_as, nullptr);
    }
    return all;
  }();
  return fetched[static_cast<std::size_t>(kind)];
}

// Only a libcrypto without the algorithm (a FIPS provider has no MD5) fails, and ours is linked
// in. Ending the process beats a digest of zeros that somebody compares.
void Require(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

std::size_t DigestBytes(DigestKind kind) { return AlgorithmOf(kind).bytes; }

std::string_view DigestName(DigestKind kind) { return AlgorithmOf(kind).name; }

std::optional<DigestKind> DigestByName(std::string_view name) {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (kAlgorithms[i].name == name) return static_cast<DigestKind>(i);
  }
  return std::nullopt;
}

struct Digest::State {
  DigestKind kind;
  EVP_MD_CTX* context;

  explicit State(DigestKind k) : kind(k), context(EVP_MD_CTX_new()) {
    Require(context != nullptr);
    Start();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }

  void Start() { Require(EVP_DigestInit_ex2(context, Fetched(kind), nullptr)); }
};

Digest::Digest(DigestKind kind) : state_(std::make_unique<State>(kind)) {}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::Update(BytesView bytes) {
  Require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
}

Bytes Digest::Finish() {
  Bytes out(DigestBytes(state_->kind), '\0');
  unsigned size = 0;
  Require(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()), &size));
  state_->Start();
  return out;
}

Bytes Sha256(BytesView bytes) {
  Digest digest(DigestKind::kSha256);
  digest.Update(bytes);
  return digest.Finish();
}

}  // namespace mig
