// Messages to and from an ssh-agent: draft-miller-ssh-agent. Only what signing needs; bytes in,
// bytes out. Who carries them is cli/ssh_agent.h.
#pragma once

#include <string>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::ssh {

// What OpenSSH's agent itself takes at most, and what is read from one.
inline constexpr std::size_t kMaxAgentMessage = 256 * 1024;
inline constexpr std::size_t kMaxAgentIdentities = 2048;

// Requests, with their length in front.
Bytes IdentitiesRequest();
// Requires: the data leave room within kMaxAgentMessage (CanAgentSign).
Bytes SignRequest(BytesView key_blob, BytesView data);
bool CanAgentSign(BytesView key_blob, BytesView data);

// The body's size from the four bytes in front of an answer. Error: kMalformed: nothing, or more
// than kMaxAgentMessage.
Expected<std::size_t> AnswerBytes(BytesView four_bytes);

struct AgentIdentity {
  Bytes key_blob;  // of any type; DecodeKeyBlob says whether it is one of ours
  std::string comment;
};
// Bodies of answers, without the length. Errors: kDenied where the agent says failure (also when a
// person refused); kMalformed.
Expected<std::vector<AgentIdentity>> ReadIdentitiesAnswer(BytesView body);
// The signature as sshsig::Assemble and RawSignature take it.
Expected<Bytes> ReadSignAnswer(BytesView body);

// The other side: what our own holder of a key understands (cli/key_holder.h).
struct AgentRequest {
  enum class Kind { kList, kSign, kForget, kOther };
  Kind kind = Kind::kOther;
  Bytes key_blob;  // kSign
  Bytes data;      // kSign
};
// Error: kMalformed.
Expected<AgentRequest> ReadRequest(BytesView body);
Bytes ForgetRequest();  // remove all keys
Bytes IdentitiesAnswer(const std::vector<AgentIdentity>& identities);
Bytes SignAnswer(std::string_view algorithm, BytesView raw_signature);
Bytes SuccessAnswer();
Bytes FailureAnswer();

// The 64 bytes within a signature by a key of the type ssh-ed25519. Error: kMalformed, kInvalid.
Expected<Bytes> RawSignature(BytesView agent_signature);

}  // namespace mig::ssh
