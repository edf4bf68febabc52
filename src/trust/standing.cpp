#include "trust/standing.h"

#include <algorithm>

#include "crypto/ed25519.h"

namespace mig {
namespace {

// Active, and with a key that is not revoked.
bool CanSign(const Person& person, const TrustedPolicy& policy) {
  if (!person.active) return false;
  return std::any_of(person.keys.begin(), person.keys.end(), [&](const DocumentKey& key) {
    auto public_key = PublicKey::FromBytes(key.key);
    if (!public_key) return false;
    const auto* signer = policy.FindSigner(*KeyId::FromBytes(public_key->Fingerprint()));
    return signer != nullptr && !signer->revoked;
  });
}

}  // namespace

bool ModuleStanding::CanBeReached() const {
  if (rule == nullptr) return false;
  std::uint64_t most = weight;
  for (const Candidate& candidate : candidates) most += candidate.weight;
  return most >= needed;
}

std::vector<ModuleStanding> Standings(const Action& action, const std::set<std::string>& people,
                                      const TrustedPolicy& policy) {
  std::vector<ModuleStanding> standings;
  for (const Operation& operation : action.operations) {
    if (std::any_of(standings.begin(), standings.end(), [&](const ModuleStanding& standing) {
          return standing.module == operation.module;
        })) {
      continue;
    }
    ModuleStanding standing;
    standing.module = operation.module;
    standing.rule = policy.RuleFor(operation.module, action.kind);
    if (standing.rule != nullptr) {
      standing.needed = std::max<std::uint64_t>(standing.rule->minimumweight, 1);
      for (const Person& person : policy.policy().people) {
        const auto weight = standing.rule->weights.find(person.id);
        if (weight == standing.rule->weights.end() || weight->second == 0) continue;
        if (people.contains(person.id)) {
          standing.weight += weight->second;
        } else if (CanSign(person, policy)) {
          standing.candidates.push_back({&person, weight->second});
        }
      }
      std::stable_sort(standing.candidates.begin(), standing.candidates.end(),
                       [](const auto& a, const auto& b) { return a.weight > b.weight; });
    }
    standings.push_back(std::move(standing));
  }
  return standings;
}

std::string PersonText(const std::string& id, const TrustedPolicy& policy) {
  for (const Person& person : policy.policy().people) {
    if (person.id == id) return person.name + " (" + id + ")";
  }
  return id;
}

}  // namespace mig
