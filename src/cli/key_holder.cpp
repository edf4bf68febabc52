#include "cli/key_holder.h"

#include <algorithm>

#include "crypto/ssh_agent_protocol.h"
#include "crypto/ssh_key.h"
#include "os/files.h"
#include "proto/ids.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerLimit{5};
// How often a holder compares the wall clock, which goes on while a laptop sleeps.
constexpr std::chrono::seconds kLookAtClock{30};
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kIdLetters = 16;  // of the key's id, in the socket's name
// The beginning of everything that an envelope signs (crypto/envelope.h).
constexpr std::string_view kSigned = "DSSEv1 ";

Error NotOurs(const fs::path& path) {
  return Error(Errc::kDenied, path.string() +
                                  ": belongs to somebody else, so it is not asked to sign; "
                                  "remove it, then: mig key unlock");
}

// Nothing when nobody listens.
Expected<std::optional<os::LocalStream>> Reach(const fs::path& socket) {
  std::error_code error;
  if (!fs::exists(socket, error)) return std::optional<os::LocalStream>();
  auto stream = os::LocalStream::Connect(socket, Clock::now() + kAnswerLimit);
  if (!stream) {
    // Left behind by one that was killed.
    if (stream.error().code() == Errc::kUnavailable) return std::optional<os::LocalStream>();
    return std::move(stream).error();
  }
  auto user = stream->PeerUser();
  if (!user) return std::move(user).error();
  if (*user != os::OwnUser()) return NotOurs(socket);
  return std::optional<os::LocalStream>(std::move(*stream));
}

Expected<Bytes> Ask(os::LocalStream& stream, BytesView request) {
  const auto deadline = Clock::now() + kAnswerLimit;
  if (auto sent = stream.Write(request, deadline); !sent) return std::move(sent).error();
  auto length = stream.Read(kLengthBytes, deadline);
  if (!length) return length;
  auto size = ssh::AnswerBytes(*length);
  if (!size) return std::move(size).error();
  return stream.Read(*size, deadline);
}

Bytes KeyBlob(const PublicKey& key) {
  return ssh::EncodeKeyBlob({std::string(ssh::kEd25519Type), Bytes(key.View())});
}

class HolderSigner : public Signer {
 public:
  HolderSigner(const KeyOwner& owner, std::string file, fs::path socket)
      : Signer(
            {std::string(ssh::kEd25519Type), Bytes(owner.key.View()), owner.name, std::move(file)}),
        blob_(KeyBlob(owner.key)),
        socket_(std::move(socket)) {}

 private:
  Expected<Made> SignBytes(BytesView message) override {
    auto stream = Reach(socket_);
    if (!stream) return std::move(stream).error();
    if (!*stream) {
      return Error(Errc::kUnavailable,
                   "the time for which " + key().source + " was unlocked is over; try again");
    }
    if (!ssh::CanAgentSign(blob_, message)) {
      return Error(Errc::kFull,
                   "this is more than a process that holds a key takes; lock it first: "
                   "mig key lock");
    }
    auto answer = Ask(**stream, ssh::SignRequest(blob_, message));
    if (!answer) return std::move(answer).error().During("ask the process that holds the key");
    auto signature = ssh::ReadSignAnswer(*answer);
    if (!signature) return std::move(signature).error();
    auto raw = ssh::RawSignature(*signature);
    if (!raw) return std::move(raw).error();
    return Made{std::move(*raw), "ed25519"};
  }

  Bytes blob_;
  fs::path socket_;
};

// Answers one question. True when the key is to be forgotten.
bool Converse(os::LocalStream& peer, const SecretKey& secret, const std::string& name) {
  const auto user = peer.PeerUser();
  if (!user || *user != os::OwnUser()) return false;
  const auto deadline = Clock::now() + kAnswerLimit;
  const auto length = peer.Read(kLengthBytes, deadline);
  const auto size = length ? ssh::AnswerBytes(*length) : Expected<std::size_t>(length.error());
  if (!size) return false;
  const auto body = peer.Read(*size, deadline);
  const auto request = body ? ssh::ReadRequest(*body) : Expected<ssh::AgentRequest>(body.error());
  if (!request) return false;

  const Bytes blob = KeyBlob(secret.public_key());
  Bytes answer = ssh::FailureAnswer();
  switch (request->kind) {
    case ssh::AgentRequest::Kind::kList:
      answer = ssh::IdentitiesAnswer({{blob, name}});
      break;
    case ssh::AgentRequest::Kind::kSign:
      if (request->key_blob == blob && BytesView(request->data).starts_with(kSigned)) {
        answer = ssh::SignAnswer(ssh::AlgorithmOf(*ssh::DecodeKeyBlob(blob)),
                                 secret.Sign(request->data));
      }
      break;
    case ssh::AgentRequest::Kind::kForget:
      answer = ssh::SuccessAnswer();
      break;
    case ssh::AgentRequest::Kind::kOther:
      break;
  }
  // Whoever does not wait for the answer does without.
  const bool written = peer.Write(answer, deadline).has_value();
  return request->kind == ssh::AgentRequest::Kind::kForget && written;
}

}  // namespace

Expected<fs::path> HolderFolder(const Environment& environment) {
  const fs::path runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.is_absolute()) return runtime / "mig";
  auto state = UserStateFolder(environment);
  if (!state) return state;
  return *state / "run";
}

Expected<fs::path> HolderSocket(const PublicKey& key, const Environment& environment) {
  auto folder = HolderFolder(environment);
  if (!folder) return folder;
  const std::string id = KeyId::FromBytes(key.Fingerprint()).value().Text();
  return *folder / ("key-" + id.substr(0, kIdLetters) + ".sock");
}

Expected<std::unique_ptr<Signer>> FindHolder(const KeyOwner& owner, const std::string& file,
                                             const Environment& environment) {
  auto socket = HolderSocket(owner.key, environment);
  if (!socket) return std::unique_ptr<Signer>();  // no home: nobody can be listening there
  auto stream = Reach(*socket);
  if (!stream) return std::move(stream).error();
  if (!*stream) return std::unique_ptr<Signer>();
  auto answer = Ask(**stream, ssh::IdentitiesRequest());
  if (!answer) return std::move(answer).error().During(socket->string());
  auto identities = ssh::ReadIdentitiesAnswer(*answer);
  if (!identities) return std::move(identities).error().During(socket->string());
  if (identities->size() != 1 || identities->front().key_blob != KeyBlob(owner.key)) {
    return NotOurs(*socket);
  }
  return std::unique_ptr<Signer>(std::make_unique<HolderSigner>(owner, file, *socket));
}

Expected<bool> LockHolder(const fs::path& socket) {
  auto stream = Reach(socket);
  if (!stream) return std::move(stream).error();
  if (!*stream) return false;
  auto answer = Ask(**stream, ssh::ForgetRequest());
  if (!answer) return std::move(answer).error().During(socket.string());
  return *answer == BytesView(ssh::SuccessAnswer()).substr(kLengthBytes);
}

Expected<void> ServeHeldKey(os::LocalListener& listener, const SecretKey& secret,
                            const std::string& name, UtcTime until,
                            std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (Clock::now() < deadline && Now() < until) {
    const auto left = std::chrono::duration_cast<Clock::duration>(until - Now());
    auto peer =
        listener.Accept(std::min({deadline, Clock::now() + left, Clock::now() + kLookAtClock}));
    if (!peer) {
      if (peer.error().code() == Errc::kTimeout) continue;
      return std::move(peer).error();
    }
    if (Clock::now() >= deadline || Now() >= until) break;
    if (Converse(*peer, secret, name)) break;
  }
  return {};
}

}  // namespace mig::cli
