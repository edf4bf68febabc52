// A lab with a second investigator: policy version 2, by the lab's root key, in which `example`
// wants two people.
#pragma once

#include "test/e2e/deployment.h"

namespace mig::e2e {

class TwoPeople {
 public:
  explicit TwoPeople(int agents = 1);

  // A verb, with the key of the lab's investigator or with Bob's (or his second one).
  Outcome AsLab(std::vector<std::string> words) const { return lab.Mig(std::move(words)); }
  Outcome AsBob(std::vector<std::string> words, bool second_key = false) const;
  // Asks with `mig query …` something that waits for Bob: its id.
  std::string Pending(std::vector<std::string> words = {"query", "example", "-gethostname"}) const;
  std::string StatusOf(const std::string& id) const;
  json::value Json(const Outcome& outcome) const;

  Lab lab;
  Deployment deployment;
  SecretKey bob = SecretKey::Generate(), bob_other = SecretKey::Generate();
  std::filesystem::path bob_file, bob_other_file;
};

}  // namespace mig::e2e
