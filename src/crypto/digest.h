// Message digests by name, incremental (OpenSSL EVP; fetched once, contexts reused).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

enum class DigestKind {
  kMd5,
  kSha1,
  kSha256,
  kSha384,
  kSha512,
  kSha3_224,
  kSha3_256,
  kSha3_384,
  kSha3_512
};
std::size_t DigestBytes(DigestKind kind);
// As people and results name it: "md5", "sha256", "sha3-256".
std::string_view DigestName(DigestKind kind);
// Nothing for a name that is none of these.
std::optional<DigestKind> DigestByName(std::string_view name);

class Digest {
 public:
  explicit Digest(DigestKind kind);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();
  void Update(BytesView bytes);
  Bytes Finish();  // raw bytes; afterwards the object starts anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Bytes Sha256(BytesView bytes);  // 32 raw bytes

}  // namespace mig
