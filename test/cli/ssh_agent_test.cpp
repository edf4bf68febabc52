// Against the real ssh-agent and ssh-add.
#include "cli/ssh_agent.h"

#include <catch2/catch.hpp>
#include <thread>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "crypto/ssh_wire.h"
#include "crypto/sshsig.h"
#include "os/local_stream.h"
#include "test/e2e/process.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

namespace {

constexpr std::string_view kType = "application/vnd.mig.action.v1+json";

bool HaveSsh() {
  return e2e::Run({"/bin/sh", "-c", "command -v ssh-agent ssh-add ssh-keygen"}).status == 0;
}

struct RunningAgent {
  TempFolder folder;
  std::string socket = (folder / "agent.sock").string();
  std::string pid;

  RunningAgent() {
    // It listens before it goes into the background.
    const auto started = e2e::Run({"/usr/bin/env", "ssh-agent", "-s", "-a", socket});
    REQUIRE(started.status == 0);
    const std::string name = "SSH_AGENT_PID=";
    const std::size_t at = started.out.find(name) + name.size();
    pid = started.out.substr(at, started.out.find(';', at) - at);
  }
  ~RunningAgent() {
    e2e::Run({"/usr/bin/env", "ssh-agent", "-k"}, {.environment = {{"SSH_AGENT_PID", pid}}});
  }
  int Ssh(std::vector<std::string> words) const {
    words.insert(words.begin(), "/usr/bin/env");
    return e2e::Run(words, {.environment = {{"SSH_AUTH_SOCK", socket}}}).status;
  }
  // Makes a key and gives it to the agent; its fingerprint.
  std::string Add(const std::string& type, const std::string& comment) const {
    const std::string file = (folder / (type + comment)).string();
    REQUIRE(Ssh({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", comment, "-f", file}) == 0);
    REQUIRE(Ssh({"ssh-add", "-q", file}) == 0);
    const auto listed = e2e::Run({"/usr/bin/env", "ssh-keygen", "-l", "-f", file});
    return listed.out.substr(listed.out.find("SHA256:"), 50);
  }
  Environment Variables() const {
    return [this](const char* name) {
      return std::string_view(name) == "SSH_AUTH_SOCK" ? socket : std::string();
    };
  }
};

std::string ErrorOf(const std::string& id, const Environment& environment) {
  const auto signer = OpenSshSigner(id, environment);
  REQUIRE_FALSE(signer);
  return signer.error().message();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("ssh agent: a key that it holds signs an envelope in the form ed25519", "[cli]") {
  if (!HaveSsh()) MIG_SKIP("there is no OpenSSH");
  const RunningAgent running;
  const std::string fingerprint = running.Add("ed25519", "ada@example.net");
  for (const std::string& id : {fingerprint, std::string("ada@example.net")}) {
    const auto signer = OpenSshSigner(id, running.Variables());
    REQUIRE(signer);
    CHECK((*signer)->key().type == "ed25519");
    CHECK((*signer)->name() == "ada@example.net");
    const auto envelope = Seal(kType, "{}", **signer);
    REQUIRE(envelope);
    CHECK(envelope->signatures[0].form == "ed25519");
    CHECK(SignedBy(*envelope, *PublicKey::FromBytes((*signer)->key().key)));
    // One conversation with the agent is good for many signatures.
    CHECK(Seal(kType, Bytes(100'000, 'x'), **signer));
  }
}

TEST_CASE("ssh agent: what it lacks is said with what it has", "[cli]") {
  if (!HaveSsh()) MIG_SKIP("there is no OpenSSH");
  const RunningAgent running;
  CHECK(Contains(ErrorOf("SHA256:x", running.Variables()), "it holds no key"));
  const std::string fingerprint = running.Add("ed25519", "ada@example.net");
  running.Add("ed25519", "twice");
  const std::string rsa = running.Add("rsa", "old");
  const std::string missing = ErrorOf("SHA256:x", running.Variables());
  CHECK(Contains(missing, fingerprint + " ada@example.net"));
  CHECK(Contains(missing, "ssh-add"));
  CHECK(Contains(missing, "old (not Ed25519: cannot sign for mig)"));
  CHECK(Contains(ErrorOf("old", running.Variables()), "ssh-rsa"));
  REQUIRE(running.Ssh({"rm", (running.folder / "ed25519twice").string()}) == 0);
  running.Add("ed25519", "twice");
  CHECK(Contains(ErrorOf("twice", running.Variables()), "several keys"));
}

TEST_CASE("ssh agent: a locked agent shows no key", "[cli]") {
  if (!HaveSsh()) MIG_SKIP("there is no OpenSSH");
  const RunningAgent running;
  const std::string fingerprint = running.Add("ed25519", "ada@example.net");
  const auto signer = OpenSshSigner(fingerprint, running.Variables());
  REQUIRE(signer);
  REQUIRE(running.Ssh({"ssh-add", "-D"}) == 0);  // gone while a verb is at work
  const auto envelope = Seal(kType, "{}", **signer);
  REQUIRE_FALSE(envelope);
  CHECK(envelope.error().code() == Errc::kDenied);
  CHECK(Contains(envelope.error().message(), "refused to sign"));
}

TEST_CASE("ssh agent: without one, or with a dead one, the next command is named", "[cli]") {
  const auto nothing = [](const char*) { return std::string(); };
  CHECK(Contains(ErrorOf("x", nothing), "SSH_AUTH_SOCK is not set"));
  const auto dead = [](const char*) { return std::string("/nowhere/agent.sock"); };
  CHECK(Contains(ErrorOf("x", dead), "/nowhere/agent.sock: nobody listens there"));
  CHECK(Contains(ErrorOf("x", dead), "ssh-agent"));
}

TEST_CASE("ssh agent: a token's key signs in the form sshsig", "[cli]") {
  // An agent of the test's own, since there is no token here: it frames as PROTOCOL.u2f says.
  const TempFolder folder;
  auto listener = os::LocalListener::Listen(folder / "agent.sock");
  REQUIRE(listener);
  const SecretKey secret = SecretKey::FromSeed(Bytes(32, 't')).value();
  const ssh::Key key{"sk-ed25519", Bytes(secret.public_key().View()) + "ssh:"};
  std::thread agent([&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto stream = listener->Accept(deadline);
    for (int question = 0; stream && question < 2; ++question) {
      const auto size = ssh::AnswerBytes(stream->Read(4, deadline).value());
      const Bytes body = size ? stream->Read(*size, deadline).value() : Bytes();
      Bytes answer;
      if (body.starts_with('\x0b')) {
        answer = '\x0c';
        ssh::AppendUint32(answer, 1);
        ssh::AppendString(answer, ssh::EncodeKeyBlob(key));
        ssh::AppendString(answer, "token");
      } else {
        ssh::Reader in(BytesView(body).substr(1), "request");
        in.String("key", 1024);
        const BytesView data = in.String("data", 1024);
        const Bytes numbers("\1\0\0\0\5", 5);
        Bytes signature;
        ssh::AppendString(signature, "sk-ssh-ed25519@openssh.com");
        ssh::AppendString(signature, secret.Sign(Sha256("ssh:") + numbers + Sha256(data)));
        signature += numbers;
        answer = '\x0e';
        ssh::AppendString(answer, signature);
      }
      Bytes framed;
      ssh::AppendString(framed, answer);
      if (!stream->Write(framed, deadline)) break;
    }
  });
  const auto signer =
      OpenSshSigner("token", [&](const char*) { return (folder / "agent.sock").string(); });
  auto envelope = signer ? Seal(kType, "{}", **signer) : Expected<Envelope>(Envelope{});
  agent.join();
  REQUIRE(signer);
  REQUIRE(envelope);
  REQUIRE(envelope->signatures.size() == 1);
  CHECK(envelope->signatures[0].form == "sshsig");
  CHECK(
      sshsig::Verify(envelope->signatures[0].sig, PreAuthEncoding(kType, "{}"), key.type, key.key));
}
