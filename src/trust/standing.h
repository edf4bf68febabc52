// How far the signatures of an action reach by a policy, for people: module by module the weight so
// far, what is needed, and who could still sign. The decision itself is CheckWeights'
// (trust/signers.h). Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "proto/action.h"
#include "trust/policy_chain.h"

namespace mig {

struct ModuleStanding {
  std::string module;
  const ModuleRule* rule = nullptr;  // null: the policy lets nobody use it; lives as the policy
  std::uint64_t weight = 0, needed = 1;
  // Who has not signed, could, and would add weight; the heaviest first.
  struct Candidate {
    const Person* person = nullptr;  // never null; lives as the policy
    std::uint32_t weight = 0;
  };
  std::vector<Candidate> candidates;

  bool Reached() const { return rule != nullptr && weight >= needed; }
  // Whether it can be reached at all, with everybody who is left.
  bool CanBeReached() const;
};

// One for each distinct module of the action, in the order of its operations. `people`: ids of
// those whose signatures verified (CheckSigners).
std::vector<ModuleStanding> Standings(const Action& action, const std::set<std::string>& people,
                                      const TrustedPolicy& policy);

// "Ann <ann@example.org> (ann)"; the id alone where the policy does not know it.
std::string PersonText(const std::string& id, const TrustedPolicy& policy);

}  // namespace mig
