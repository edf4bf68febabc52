#include "cli/ssh_agent.h"

#include <optional>

#include "crypto/sshsig.h"
#include "util/text.h"

namespace mig::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kMostListed = 8;  // in a message

class SshSigner : public Signer {
 public:
  SshSigner(SignerKey key, ssh::Key public_key, SshAgent agent)
      : Signer(std::move(key)), public_key_(std::move(public_key)), agent_(std::move(agent)) {}

 private:
  Expected<Made> SignBytes(BytesView message) override {
    const Bytes blob = ssh::EncodeKeyBlob(public_key_);
    if (public_key_.type == ssh::kEd25519Type) {
      // What we sign begins with "DSSEv1 ", which is no beginning of anything that SSH has signed:
      // there a length or "SSHSIG" stands.
      auto answer = agent_.Sign(blob, message);
      if (!answer) return std::move(answer).error();
      auto raw = ssh::RawSignature(*answer);
      if (!raw) return std::move(raw).error();
      return Made{std::move(*raw), "ed25519"};
    }
    constexpr sshsig::Hash kHash = sshsig::Hash::kSha512;
    auto answer = agent_.Sign(blob, sshsig::ToBeSigned(message, kHash));
    if (!answer) return std::move(answer).error();
    auto assembled = sshsig::Assemble(public_key_, kHash, *answer);
    if (!assembled) return std::move(assembled).error();
    return Made{std::move(*assembled), "sshsig"};
  }

  ssh::Key public_key_;
  SshAgent agent_;
};

std::string Describe(const ssh::AgentIdentity& identity) {
  const auto key = ssh::DecodeKeyBlob(identity.key_blob);
  return ssh::Fingerprint(identity.key_blob) + " " + EscapeForTerminal(identity.comment) +
         (key ? "" : " (not Ed25519: cannot sign for mig)");
}

std::string DescribeAll(const std::vector<ssh::AgentIdentity>& identities) {
  if (identities.empty()) return "it holds no key";
  std::string text = "it holds " + Count(identities.size(), "key") + ": ";
  for (std::size_t i = 0; i < identities.size() && i < kMostListed; ++i) {
    text += (i == 0 ? "" : ", ") + Describe(identities[i]);
  }
  return identities.size() > kMostListed ? text + ", …" : text;
}

}  // namespace

Expected<SshAgent> SshAgent::Connect(const Environment& environment) {
  const std::string socket = environment("SSH_AUTH_SOCK");
  if (socket.empty()) {
    return Error(Errc::kNotFound,
                 "no ssh-agent is known here: SSH_AUTH_SOCK is not set; start one with: "
                 "eval \"$(ssh-agent)\" and then: ssh-add");
  }
  auto stream = os::LocalStream::Connect(socket, Clock::now() + kAgentListLimit);
  if (!stream) {
    return Error(stream.error().code(),
                 "the ssh-agent of SSH_AUTH_SOCK: " + stream.error().message() +
                     "; start one with: eval \"$(ssh-agent)\"");
  }
  return SshAgent(std::move(*stream), socket);
}

Expected<Bytes> SshAgent::Ask(BytesView request, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  if (auto sent = stream_.Write(request, deadline); !sent) return std::move(sent).error();
  auto length = stream_.Read(kLengthBytes, deadline);
  if (!length) return length;
  auto size = ssh::AnswerBytes(*length);
  if (!size) return std::move(size).error();
  return stream_.Read(*size, deadline);
}

Expected<std::vector<ssh::AgentIdentity>> SshAgent::List() {
  auto body = Ask(ssh::IdentitiesRequest(), kAgentListLimit);
  if (!body) return std::move(body).error().During("ask the ssh-agent at " + socket_);
  return ssh::ReadIdentitiesAnswer(*body);
}

Expected<Bytes> SshAgent::Sign(BytesView key_blob, BytesView data) {
  if (!ssh::CanAgentSign(key_blob, data)) {
    return Error(Errc::kFull, "this is more than an ssh-agent takes to sign (" +
                                  std::to_string(data.size()) +
                                  " bytes); sign with a key file, or with gpg");
  }
  auto body = Ask(ssh::SignRequest(key_blob, data), kAgentSignLimit);
  if (!body) return std::move(body).error().During("sign with the ssh-agent at " + socket_);
  auto signature = ssh::ReadSignAnswer(*body);
  if (!signature && signature.error().code() == Errc::kDenied) {
    return Error(Errc::kDenied,
                 "the ssh-agent at " + socket_ + " refused to sign with " +
                     ssh::Fingerprint(key_blob) +
                     ": somebody said no, the token was not touched, or the agent is locked "
                     "(ssh-add -X) or lets this key be used for certain hosts only");
  }
  return signature;
}

Expected<std::unique_ptr<Signer>> OpenSshSigner(const std::string& id,
                                                const Environment& environment) {
  auto agent = SshAgent::Connect(environment);
  if (!agent) return std::move(agent).error().During("ssh:" + id);
  auto identities = agent->List();
  if (!identities) return std::move(identities).error().During("ssh:" + id);

  std::vector<const ssh::AgentIdentity*> found;
  for (const ssh::AgentIdentity& identity : *identities) {
    if (ssh::Fingerprint(identity.key_blob) == id || identity.comment == id) {
      found.push_back(&identity);
    }
  }
  if (found.empty()) {
    return Error(Errc::kNotFound, "ssh:" + id + ": the ssh-agent at " + agent->socket() +
                                      " has no such key; " + DescribeAll(*identities) +
                                      ". Add yours with: ssh-add");
  }
  if (found.size() > 1) {
    return Error(Errc::kInvalid, "ssh:" + id + ": several keys of the ssh-agent at " +
                                     agent->socket() +
                                     " are called that; name one by its fingerprint, as "
                                     "`ssh-add -l` shows it");
  }
  auto key = ssh::DecodeKeyBlob(found[0]->key_blob);
  if (!key) return std::move(key).error().During("ssh:" + id);
  const std::string fingerprint = ssh::Fingerprint(found[0]->key_blob);
  const std::string name = IsKeyName(found[0]->comment) ? found[0]->comment : fingerprint;
  SignerKey signer_key{key->type, key->key, name, "ssh-agent (" + fingerprint + ")"};
  return std::unique_ptr<Signer>(
      std::make_unique<SshSigner>(std::move(signer_key), std::move(*key), std::move(*agent)));
}

}  // namespace mig::cli
