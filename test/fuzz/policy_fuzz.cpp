// Roots and policies in: what is accepted holds the rules that authorisation builds on, and means
// the same after a round trip.
#include <cstdint>
#include <set>

#include "proto/policy.h"
#include "test/fuzz/require.h"

namespace {

using mig::fuzz::Require;

void CheckRoot(mig::BytesView text) {
  const auto root = mig::DecodeRoot(text);
  if (!root) return;
  Require(root->threshold >= 1 && root->threshold <= root->keys.size(),
          "a threshold can be reached and is not zero");
  const mig::Bytes written = mig::EncodeRoot(*root);
  const auto again = mig::DecodeRoot(written);
  Require(again && mig::EncodeRoot(*again) == written, "a root means the same after a round trip");
}

void CheckPolicy(mig::BytesView text) {
  const auto policy = mig::DecodePolicy(text);
  if (!policy) return;
  std::set<mig::Bytes> keys;
  std::set<std::string> ids;
  for (const mig::Person& person : policy->people) {
    Require(ids.insert(person.id).second, "a person's id is used once");
    for (const mig::DocumentKey& key : person.keys) {
      Require(keys.insert(key.key).second, "a key belongs to one person, once");
    }
  }
  for (const auto& [name, rule] : policy->modules) {
    Require(rule.minimumweight >= 1, "no module is free");
    for (const auto& [person, weight] : rule.weights) {
      Require(ids.count(person) == 1, "a weight belongs to somebody");
    }
  }
  const mig::Bytes written = mig::EncodePolicy(*policy);
  const auto again = mig::DecodePolicy(written);
  Require(again && mig::EncodePolicy(*again) == written,
          "a policy means the same after a round trip");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  CheckRoot(text);
  CheckPolicy(text);
  return 0;
}
