#include "crypto/merkle.h"

#include <cassert>

#include "crypto/digest.h"

namespace mig {
namespace {

Bytes LeafHash(BytesView leaf) {
  Bytes text(1, '\0');
  text += leaf;
  return Sha256(text);
}

Bytes NodeHash(BytesView left, BytesView right) {
  Bytes text(1, '\1');
  text += left;
  text += right;
  return Sha256(text);
}

}  // namespace

// A node without a sibling goes up as it is: that is the RFC's split at the largest power of two,
// seen from below.
MerkleTree::MerkleTree(const std::vector<Bytes>& leaves) {
  assert(!leaves.empty());
  std::vector<Bytes> level;
  level.reserve(leaves.size());
  for (const Bytes& leaf : leaves) level.push_back(LeafHash(leaf));
  while (level.size() > 1) {
    std::vector<Bytes> above;
    above.reserve(level.size() / 2 + 1);
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      above.push_back(NodeHash(level[i], level[i + 1]));
    }
    if (level.size() % 2 == 1) above.push_back(level.back());
    levels_.push_back(std::move(level));
    level = std::move(above);
  }
  levels_.push_back(std::move(level));
}

std::vector<Bytes> MerkleTree::Proof(std::uint64_t index) const {
  assert(index < size());
  std::vector<Bytes> path;
  for (const std::vector<Bytes>& level : levels_) {
    const std::uint64_t sibling = index ^ 1;
    if (sibling < level.size()) path.push_back(level[sibling]);
    index /= 2;
  }
  return path;
}

bool VerifyInclusion(BytesView leaf, std::uint64_t index, std::uint64_t size,
                     const std::vector<Bytes>& path, BytesView root) {
  if (index >= size) return false;
  // The names of the RFC: fn and sn.
  std::uint64_t first = index;
  std::uint64_t last = size - 1;
  Bytes hash = LeafHash(leaf);
  for (const Bytes& beside : path) {
    if (last == 0) return false;
    if (first % 2 == 1 || first == last) {
      hash = NodeHash(beside, hash);
      while (first % 2 == 0 && first != 0) {
        first /= 2;
        last /= 2;
      }
    } else {
      hash = NodeHash(hash, beside);
    }
    first /= 2;
    last /= 2;
  }
  return last == 0 && hash == root;
}

}  // namespace mig
