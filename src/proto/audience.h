// Which machines an action was signed for, when it changes something: the root of the Merkle tree
// over their ids (RFC 9162 section 2.1, SHA-256; the leaves are the raw agent ids in ascending
// order, each once). Formats only; trees are crypto/merkle.h's (wire.md, "Audience").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::uint64_t kMaxAudience = 1'000'000;

struct Audience {
  std::uint64_t size = 0;  // machines, 1..kMaxAudience
  Bytes root;              // 32 bytes
  bool operator==(const Audience&) const = default;
};

// That one agent is among them; travels beside the action, because each agent has its own.
struct AudienceProof {
  std::uint64_t index = 0;  // of the agent's leaf
  std::vector<Bytes> path;  // hashes of 32 bytes, the leaf's sibling first; at most 20
};

Expected<Audience> DecodeAudience(const json::object& fields, const std::string& where);
json::object EncodeAudience(const Audience& audience);

// Unknown fields are ignored: a proof orders nothing.
Expected<AudienceProof> DecodeAudienceProof(const json::object& fields, const std::string& where);
json::object EncodeAudienceProof(const AudienceProof& proof);

}  // namespace mig
