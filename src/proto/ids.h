// Identifiers: fixed bytes inside, lower-case base32 without padding outside (safe in topics, file
// names and URLs). Pure values; who draws random bytes or hashes keys is crypto/.
#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <string>

#include "util/bytes.h"
#include "util/encoding.h"
#include "util/expected.h"

namespace mig {

template <typename Tag, std::size_t kSize>
class Id {
 public:
  static constexpr std::size_t kBytes = kSize;
  static constexpr std::size_t kTextLength = (kSize * 8 + 4) / 5;

  Id() = default;  // all zero: "none"

  static Expected<Id> FromBytes(BytesView bytes) {
    if (bytes.size() != kSize) {
      return Error(Errc::kMalformed,
                   std::string(Tag::kName) + ": expected " + std::to_string(kSize) + " bytes");
    }
    Id id;
    std::memcpy(id.bytes_.data(), bytes.data(), kSize);
    return id;
  }
  static Expected<Id> Parse(std::string_view text) {
    auto bytes = text.size() == kTextLength ? DecodeBase32(text)
                                            : Expected<Bytes>(Error(Errc::kMalformed, ""));
    if (!bytes) {
      return Error(Errc::kMalformed, "`" + std::string(text.substr(0, 64)) + "` is not " +
                                         std::string(Tag::kName) + " (" +
                                         std::to_string(kTextLength) + " characters a-z2-7)");
    }
    return FromBytes(*bytes);
  }

  std::string Text() const { return EncodeBase32(View()); }
  BytesView View() const { return {reinterpret_cast<const char*>(bytes_.data()), kSize}; }
  bool IsNone() const { return *this == Id(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::array<unsigned char, kSize> bytes_{};
};

struct ActionTag {
  static constexpr std::string_view kName = "an action id";
};
struct AgentTag {
  static constexpr std::string_view kName = "an agent id";
};
struct OrgTag {
  static constexpr std::string_view kName = "an org";
};
struct KeyTag {
  static constexpr std::string_view kName = "a key id";
};

using ActionId = Id<ActionTag, 16>;  // random
using AgentId = Id<AgentTag, 32>;    // SHA-256 of the agent's raw Ed25519 public key
using OrgId = Id<OrgTag, 32>;        // SHA-256 of the payload bytes of root version 1
using KeyId = Id<KeyTag, 32>;        // SHA-256 of a raw Ed25519 public key

}  // namespace mig

template <typename Tag, std::size_t kSize>
struct std::hash<mig::Id<Tag, kSize>> {
  std::size_t operator()(const mig::Id<Tag, kSize>& id) const noexcept {
    return std::hash<std::string_view>()(id.View());
  }
};
