// Keys that an ssh-agent holds, and signing with them: the secret never comes here. Protocol:
// crypto/ssh_agent_protocol.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/client_config.h"
#include "crypto/signer.h"
#include "crypto/ssh_agent_protocol.h"
#include "crypto/ssh_key.h"
#include "os/local_stream.h"
#include "util/expected.h"

namespace mig::cli {

// How long an agent may take: it may ask its person first, and wait for a touch.
inline constexpr std::chrono::seconds kAgentListLimit{5};
inline constexpr std::chrono::seconds kAgentSignLimit{120};

class SshAgent {
 public:
  // The one at SSH_AUTH_SOCK. Errors: kNotFound: none is named; kUnavailable, kDenied.
  static Expected<SshAgent> Connect(const Environment& environment);

  Expected<std::vector<ssh::AgentIdentity>> List();
  Expected<Bytes> Sign(BytesView key_blob, BytesView data);

  const std::string& socket() const { return socket_; }

 private:
  SshAgent(os::LocalStream stream, std::string socket)
      : stream_(std::move(stream)), socket_(std::move(socket)) {}
  Expected<Bytes> Ask(BytesView request, std::chrono::seconds limit);

  os::LocalStream stream_;
  std::string socket_;
};

// Signs with the key of that id: its fingerprint (SHA256:…), or a comment that only one key has.
// A plain Ed25519 key signs the bytes themselves, in the form `ed25519`; one on a FIDO token can
// only sign as SSH does, in the form `sshsig`. Errors: as SshAgent; kNotFound, saying which keys
// are there.
Expected<std::unique_ptr<Signer>> OpenSshSigner(const std::string& id,
                                                const Environment& environment);

}  // namespace mig::cli
