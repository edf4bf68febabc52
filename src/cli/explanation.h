// What exactly is being signed, in plain words: who is asked to do what, within which limits, until
// when, who has signed, and whose signatures are still missing. One pure function of the signed
// bytes, for `mig action explain`, `mig approve` and `mig query -p`. Nothing that a server says
// about an action goes into it, but the estimate of how many machines it would reach, and that is
// called one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/envelope.h"
#include "proto/action.h"
#include "trust/policy_chain.h"

namespace mig::cli {

struct Explained {
  const Envelope& envelope;               // may have no signature yet
  const Action& action;                   // what stands in its payload
  const TrustedPolicy* policy = nullptr;  // null: none at hand, so nobody's signature is judged
  // How many machines match the target now, by the server's word. Not shown for kinds whose signed
  // audience says it.
  std::optional<std::uint64_t> machines;
  UtcTime now;
};

// Lines, each ended by a newline, escaped for a terminal.
std::string Explain(const Explained& what);

// "file: weight 1 of 2; could sign: Bob <bob@example.org> (weight 1)", a line for each module whose
// weight is not reached; empty when the signatures are enough. Not escaped.
std::vector<std::string> MissingLines(const Action& action, const std::set<std::string>& people,
                                      const TrustedPolicy& policy);

// What an action of that kind may do, in one sentence.
std::string_view KindSentence(Kind kind);

}  // namespace mig::cli
