// An agent as tests need it: a key, and result parts that it signs.
#pragma once

#include <string>
#include <vector>

#include "cli/result_check.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/envelope.h"
#include "proto/result.h"

namespace mig {

class AgentVoice {
 public:
  explicit AgentVoice(std::string name) : name_(std::move(name)) {}

  AgentId id() const { return *AgentId::FromBytes(key_.public_key().Fingerprint()); }
  const SecretKey& key() const { return key_; }
  const std::string& name() const { return name_; }
  cli::ShownAgent Shown() const { return {id(), name_, "online", Bytes(key_.public_key().View())}; }

  // The next part of this agent's answer to `action`.
  ResultPart Next(const ActionId& action, bool last) {
    ResultPart part;
    part.agent = id();
    part.action = action;
    part.seq = seq_++;
    part.last = last;
    part.previous = previous_;
    part.time = *ParseRfc3339("2026-11-23T09:30:00Z");
    part.ledger.head = Bytes(32, '\0');
    if (last) part.status = CommandStatus::kSuccess;
    previous_ = Sha256(EncodeResultPart(part));
    return part;
  }
  Envelope Sign(const ResultPart& part) const {
    return Seal(kResultType, EncodeResultPart(part), key_);
  }

 private:
  std::string name_;
  SecretKey key_ = SecretKey::Generate();
  std::uint64_t seq_ = 0;
  Bytes previous_;
};

}  // namespace mig
