// What this investigator remembers of agents' ledgers: for each agent the signed word with the
// longest ledger that was seen and verified. One file of the user's state folder, one line of JSON
// for each anchor (trust/ledger_anchor.h); lines are added, and now and then the file is written
// anew without what is not needed any more.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "proto/result.h"
#include "trust/ledger_anchor.h"
#include "util/expected.h"

namespace mig::cli {

// Gathers the verified parts of one action: of each agent the longest ledger, in the smallest
// envelope that says so.
class AnchorGatherer {
 public:
  // Bytes of envelopes that are kept until they are stored; agents past that are left out.
  static constexpr std::size_t kMostBytes = std::size_t{24} << 20;

  void Take(const AgentId& agent, BytesView key, const Envelope& envelope, const ResultPart& part);

  struct Gathered {
    Bytes key;
    LedgerMark mark;
    UtcTime time;
    Envelope envelope;
  };
  const std::map<AgentId, Gathered>& gathered() const { return gathered_; }

 private:
  std::map<AgentId, Gathered> gathered_;
  std::size_t bytes_ = 0;
};

class AnchorStore {
 public:
  // Bytes of the file. Beyond, it is written anew; what does not fit then are the anchors that were
  // added first.
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;

  // `file`: UserStateFolder()/anchors.jsonl; made when it is needed.
  explicit AnchorStore(std::filesystem::path file, std::size_t most_bytes = kMostBytes)
      : file_(std::move(file)), most_bytes_(most_bytes) {}

  // A word of an agent that cannot be true beside one that was seen before: another ledger of that
  // length, or a later word with a shorter one.
  struct Contradiction {
    AgentId agent;
    LedgerMark before, now;
  };
  // Adds what is longer than what is known. `holder` is who we are, for the people who get to read
  // it. Error: kIo, kFull; kTimeout when another process works on the file for too long.
  Expected<std::vector<Contradiction>> Remember(const AnchorGatherer& seen,
                                                const std::string& holder) const;
  // The longest of each agent; lines that do not verify are left out, and counted.
  struct Known {
    std::vector<LedgerAnchor> anchors;  // by agent
    std::size_t damaged = 0;
  };
  Expected<Known> Recall() const;

 private:
  std::filesystem::path file_;
  std::size_t most_bytes_;
};

}  // namespace mig::cli
