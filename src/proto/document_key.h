// Public keys as roots and policies carry them (wire.md, "Root"). Whether the bytes are a key that
// can verify anything is crypto/verifying_key.h's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::string_view kEd25519Key = "ed25519";       // 32 raw bytes
inline constexpr std::string_view kSkEd25519Key = "sk-ed25519";  // 32 raw bytes, SSH application
inline constexpr std::string_view kRsaKey = "rsa";               // RSAPublicKey, DER

// The algorithm of a signature is this type, never what the signature claims. Keys of other types
// are kept, and never verify anything.
struct DocumentKey {
  std::string type;
  Bytes key;
  bool operator==(const DocumentKey&) const = default;
};

// What makes two keys the same key, in whatever form they are written: the curve point of both
// Ed25519 types, all bytes of any other. Valid as long as `key`.
BytesView MaterialOf(const DocumentKey& key);

// The list in the field `keys`, of at most `most`. What is wrong is recorded in `in`, also a key
// that stands there twice in whatever form.
std::vector<DocumentKey> DecodeKeys(json::ObjectReader& in, std::size_t most);
json::array EncodeKeys(const std::vector<DocumentKey>& keys);

}  // namespace mig
