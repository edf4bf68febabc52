// Who the agent is: an Ed25519 key that it made itself and that never leaves the machine. Its id is
// the hash of the public key. Beside it a P-256 key for TLS, which may be lost and made again.
#pragma once

#include <filesystem>
#include <string>

#include "crypto/envelope.h"
#include "proto/ids.h"
#include "roles/agent/agent_config.h"
#include "util/expected.h"

namespace mig::agent {

class Identity {
 public:
  // From the key file; the first time a new key is written there, mode 0600, and kept for good: a
  // file that cannot be read is an error and never replaced, because the agent would be another one
  // then. `name` is what the file says it belongs to.
  static Expected<Identity> LoadOrMake(const AgentConfig& config, const std::string& name);

  explicit Identity(SecretKey key);

  const AgentId& id() const { return id_; }
  const SecretKey& key() const { return key_; }

  // A message of the agent, signed: the JSON of its envelope.
  Bytes Sign(std::string_view payload_type, Bytes payload) const;

 private:
  SecretKey key_;
  AgentId id_;
};

// The TLS key's PEM, from its file or newly made into it where there is none, or none of use.
Expected<std::string> LoadOrMakeTlsKey(const std::filesystem::path& file);

}  // namespace mig::agent
