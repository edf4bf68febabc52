// Audiences and proofs in; and a proof taken from the bytes never moves a leaf to another place.
#include <cstdint>

#include "crypto/merkle.h"
#include "proto/audience.h"
#include "test/fuzz/require.h"

namespace {

using mig::fuzz::Require;

void CheckDecoders(mig::BytesView text) {
  const auto fields = mig::json::ParseObject(text);
  if (!fields) return;
  if (const auto audience = mig::DecodeAudience(*fields, "audience")) {
    Require(audience->size >= 1 && audience->size <= mig::kMaxAudience, "a size is bounded");
    const auto again = mig::DecodeAudience(mig::EncodeAudience(*audience), "audience");
    Require(again && *again == *audience, "an audience means the same after a round trip");
  }
  if (const auto proof = mig::DecodeAudienceProof(*fields, "proof")) {
    Require(proof->path.size() <= 20, "a path is bounded");
    const auto again = mig::DecodeAudienceProof(mig::EncodeAudienceProof(*proof), "proof");
    Require(again && again->index == proof->index && again->path == proof->path,
            "a proof means the same after a round trip");
  }
}

// The first byte is the size of a tree, the second a place, the rest a path of raw hashes.
void CheckProof(mig::BytesView bytes) {
  if (bytes.size() < 2) return;
  const std::size_t count = static_cast<unsigned char>(bytes[0]) % 64 + 1;
  const std::uint64_t claimed = static_cast<unsigned char>(bytes[1]);
  std::vector<mig::Bytes> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back("leaf " + std::to_string(i));
  const mig::MerkleTree tree(leaves);
  std::vector<mig::Bytes> path;
  for (bytes.remove_prefix(2); bytes.size() >= 32 && path.size() < 20; bytes.remove_prefix(32)) {
    path.emplace_back(bytes.substr(0, 32));
  }
  Require(!mig::VerifyInclusion("a stranger", claimed, count, path, tree.root()),
          "who is no leaf is never proven");
  Require(mig::VerifyInclusion(leaves[claimed % count], claimed % count, count,
                               tree.Proof(claimed % count), tree.root()),
          "every leaf is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  CheckDecoders(text);
  CheckProof(text);
  return 0;
}
