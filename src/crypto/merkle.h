// Merkle trees over lists of bytes and proofs that one is in the list: RFC 9162 section 2.1
// (SHA-256; leaf prefix 0x00, node prefix 0x01, so that no node can pass for a leaf).
#pragma once

#include <cstdint>
#include <vector>

#include "util/bytes.h"

namespace mig {

// All levels are kept: 64 bytes for each leaf, so that proofs cost a logarithm.
class MerkleTree {
 public:
  // Requires: at least one leaf.
  explicit MerkleTree(const std::vector<Bytes>& leaves);

  std::uint64_t size() const { return levels_.front().size(); }
  const Bytes& root() const { return levels_.back().front(); }  // 32 bytes

  // RFC 9162 section 2.1.3.1: the hashes beside the way from leaf `index` to the root, the lowest
  // first. Requires: index < size().
  std::vector<Bytes> Proof(std::uint64_t index) const;

 private:
  std::vector<std::vector<Bytes>> levels_;  // leaves' hashes first
};

// RFC 9162 section 2.1.3.2: whether `leaf` is number `index` of the `size` leaves whose tree has
// that root.
bool VerifyInclusion(BytesView leaf, std::uint64_t index, std::uint64_t size,
                     const std::vector<Bytes>& path, BytesView root);

}  // namespace mig
