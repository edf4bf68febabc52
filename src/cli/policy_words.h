// Policies and roots in plain words: what one says, and what another changes for whom. What people
// read before they sign. Pure; ids of keys are cut to what a person compares.
#pragma once

#include <string>
#include <vector>

#include "proto/policy.h"

namespace mig::cli {

// One sentence a line; the first kSentencesOfSigning say what a draft does not.
inline constexpr std::size_t kSentencesOfSigning = 2;
std::vector<std::string> DescribePolicy(const Policy& policy);
// What is different, person by person and rule by rule, and what follows from it: who alone is
// enough now, and what nobody can do any more. Version, issue and expiry are the last sentence.
// Empty when nothing is.
std::vector<std::string> PolicyChanges(const Policy& before, const Policy& after);

std::vector<std::string> DescribeRoot(const Root& root);
std::vector<std::string> RootChanges(const Root& before, const Root& after);

// "mig-ed25519 gTl3Dqh9…, id gr2q7gf5": a key, so that it can be told from others.
std::string KeyWords(const DocumentKey& key);

}  // namespace mig::cli
