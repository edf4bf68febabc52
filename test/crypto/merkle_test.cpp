#include "crypto/merkle.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

// The inputs and roots that Certificate Transparency's implementations share as test vectors.
std::vector<Bytes> Inputs() {
  std::vector<Bytes> inputs;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    inputs.push_back(DecodeHex(hex).value());
  }
  return inputs;
}

constexpr const char* kRoots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

std::vector<Bytes> Leaves(std::size_t count) {
  std::vector<Bytes> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back("leaf " + std::to_string(i));
  return leaves;
}

}  // namespace

TEST_CASE("merkle: the roots of Certificate Transparency's vectors", "[crypto]") {
  const std::vector<Bytes> inputs = Inputs();
  for (std::size_t size = 1; size <= inputs.size(); ++size) {
    const MerkleTree tree({inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(EncodeHex(tree.root()) == kRoots[size - 1]);
  }
}

TEST_CASE("merkle: every leaf of every small tree is proven, and no other place of it",
          "[crypto]") {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::vector<Bytes> leaves = Leaves(size);
    const MerkleTree tree(leaves);
    for (std::size_t i = 0; i < size; ++i) {
      const std::vector<Bytes> path = tree.Proof(i);
      REQUIRE(VerifyInclusion(leaves[i], i, size, path, tree.root()));
      for (std::size_t other = 0; other < size; ++other) {
        if (other != i) REQUIRE_FALSE(VerifyInclusion(leaves[i], other, size, path, tree.root()));
      }
      REQUIRE_FALSE(VerifyInclusion("leaf x", i, size, path, tree.root()));
      REQUIRE_FALSE(VerifyInclusion(leaves[i], i + size, size, path, tree.root()));
    }
  }
}

TEST_CASE("merkle: a path that is longer, shorter or altered proves nothing", "[crypto]") {
  const std::vector<Bytes> leaves = Leaves(13);
  const MerkleTree tree(leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const std::vector<Bytes> path = tree.Proof(i);
    std::vector<Bytes> longer = path;
    longer.push_back(Bytes(32, '\0'));
    CHECK_FALSE(VerifyInclusion(leaves[i], i, 13, longer, tree.root()));
    std::vector<Bytes> shorter = path;
    shorter.pop_back();
    CHECK_FALSE(VerifyInclusion(leaves[i], i, 13, shorter, tree.root()));
    for (std::size_t step = 0; step < path.size(); ++step) {
      std::vector<Bytes> altered = path;
      altered[step][step] ^= 1;
      CHECK_FALSE(VerifyInclusion(leaves[i], i, 13, altered, tree.root()));
    }
  }
}

// Without the prefixes a node's two hashes could be shown as a leaf of a smaller tree.
TEST_CASE("merkle: an inner node is no leaf", "[crypto]") {
  const std::vector<Bytes> leaves = Leaves(4);
  const MerkleTree tree(leaves);
  const MerkleTree left({leaves[0], leaves[1]});
  const Bytes inside = left.Proof(1)[0] + left.Proof(0)[0];
  CHECK_FALSE(VerifyInclusion(inside, 0, 2, {tree.Proof(0)[1]}, tree.root()));
}

TEST_CASE("merkle: a size that nobody signed proves nothing, zero included", "[crypto]") {
  const std::vector<Bytes> leaves = Leaves(1);
  const MerkleTree tree(leaves);
  CHECK(VerifyInclusion(leaves[0], 0, 1, {}, tree.root()));
  CHECK_FALSE(VerifyInclusion(leaves[0], 0, 0, {}, tree.root()));
  CHECK_FALSE(VerifyInclusion(leaves[0], 0, 2, {}, tree.root()));
  CHECK_FALSE(VerifyInclusion(leaves[0], 0, 1, {}, Bytes()));
}
