#include "cli/key_holder.h"

#include <catch2/catch.hpp>
#include <thread>

#include "cli/signers.h"
#include "crypto/ssh_agent_protocol.h"
#include "crypto/ssh_key.h"
#include "os/files.h"
#include "test/cli/descriptor.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view kType = "application/vnd.mig.action.v1+json";
constexpr milliseconds kLong{60'000};

KeyFile Ada() {
  return {"Ada <ada@example.net>", UtcTime(), SecretKey::FromSeed(Bytes(32, 'a')).value()};
}

// A key file with a passphrase, and a holder of the key on a thread.
struct Held {
  TempFolder folder;
  std::filesystem::path file = folder / "ada.key";
  std::filesystem::path socket;
  std::thread thread;

  explicit Held(milliseconds limit = kLong, UtcTime until = Now() + kLong) {
    REQUIRE(os::WriteNewFile(file, *WriteKeyFile(Ada(), "secret"), 0600));
    socket = HolderSocket(Ada().secret.public_key(), Variables()).value();
    REQUIRE(os::MakePrivateDirectory(socket.parent_path()));
    auto listener = os::LocalListener::Listen(socket);
    REQUIRE(listener);
    thread = std::thread([limit, until, given = std::move(*listener)]() mutable {
      os::LocalListener listening = std::move(given);  // so that it goes when the serving ends
      const KeyFile key = Ada();
      if (!ServeHeldKey(listening, key.secret, key.name, until, limit)) std::abort();
    });
  }
  ~Held() {
    const auto ended = LockHolder(socket);
    thread.join();
  }
  Environment Variables() const {
    return [this](const char* name) {
      return std::string_view(name) == "XDG_RUNTIME_DIR" ? folder.path().string() : std::string();
    };
  }
  Expected<std::unique_ptr<Signer>> Open(const PassphraseSource& source = {}) const {
    return OpenSigner({KeyChoice::Kind::kFile, file, {}}, source, Variables());
  }
};

// One question to the socket, and the body of its answer; nothing when it is closed instead.
std::optional<Bytes> Ask(const std::filesystem::path& socket, BytesView request) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto stream = os::LocalStream::Connect(socket, deadline);
  REQUIRE(stream);
  REQUIRE(stream->Write(request, deadline));
  auto length = stream->Read(4, deadline);
  if (!length) return {};
  return stream->Read(*ssh::AnswerBytes(*length), deadline).value();
}

}  // namespace

TEST_CASE("key holder: verbs sign through it without a passphrase", "[cli]") {
  const Held held;
  const auto signer = held.Open();
  REQUIRE(signer);
  CHECK((*signer)->name() == "Ada <ada@example.net>");
  for (int i = 0; i < 3; ++i) {
    const auto envelope = Seal(kType, "{}", **signer);
    REQUIRE(envelope);
    CHECK(SignedBy(*envelope, Ada().secret.public_key()));
  }
}

TEST_CASE("key holder: a passphrase that is given is used all the same", "[cli]") {
  const Held held;
  CHECK(held.Open({DescriptorWith("secret\n")}));
  CHECK(held.Open({DescriptorWith("guess\n")}).error().code() == Errc::kDenied);
}

TEST_CASE("key holder: it signs nothing but envelopes, and by no other key", "[cli]") {
  const Held held;
  const Bytes blob = ssh::EncodeKeyBlob({"ed25519", Bytes(Ada().secret.public_key().View())});
  const Bytes other = ssh::EncodeKeyBlob({"ed25519", Bytes(32, 'x')});
  CHECK(ssh::ReadSignAnswer(*Ask(held.socket, ssh::SignRequest(blob, "DSSEv1 1 a 1 b"))));
  CHECK_FALSE(ssh::ReadSignAnswer(*Ask(held.socket, ssh::SignRequest(blob, "SSHSIG"))));
  CHECK_FALSE(ssh::ReadSignAnswer(*Ask(held.socket, ssh::SignRequest(other, "DSSEv1 1 a 1 b"))));
}

TEST_CASE("key holder: nonsense ends a conversation, not the holder", "[cli]") {
  const Held held;
  CHECK_FALSE(Ask(held.socket, Bytes("\xff\xff\xff\xff", 4)));
  CHECK_FALSE(Ask(held.socket, Bytes("\0\0\0\2\x0b\x0b", 6)));
  CHECK(*Ask(held.socket, Bytes("\0\0\0\1\x63", 5)) == "\x05");
  CHECK(held.Open());
}

TEST_CASE("key holder: locked, it is gone with its socket", "[cli]") {
  const Held held;
  CHECK(*LockHolder(held.socket));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::filesystem::exists(held.socket) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK_FALSE(*LockHolder(held.socket));
}

TEST_CASE("key holder: it ends by the running clock, and by the wall clock", "[cli]") {
  for (const bool wall : {false, true}) {
    Held held(wall ? kLong : milliseconds(50), wall ? Now() + milliseconds(50) : Now() + kLong);
    held.thread.join();  // nobody asked it to
    CHECK_FALSE(std::filesystem::exists(held.socket));
    held.thread = std::thread([] {});
  }
}

TEST_CASE("key holder: a holder of another key in its place is not asked", "[cli]") {
  const Held held;
  const PublicKey other = SecretKey::FromSeed(Bytes(32, 'b'))->public_key();
  const auto place = HolderSocket(other, held.Variables()).value();
  std::filesystem::create_symlink(held.socket, place);
  const auto found = FindHolder({other, "Bob"}, "bob.key", held.Variables());
  REQUIRE_FALSE(found);
  CHECK(found.error().code() == Errc::kDenied);
}

TEST_CASE("key holder: a socket that was left behind is as none", "[cli]") {
  const TempFolder folder;
  const Environment variables = [&](const char*) { return folder.path().string(); };
  const PublicKey key = Ada().secret.public_key();
  const auto socket = HolderSocket(key, variables).value();
  std::filesystem::create_directories(socket.parent_path());
  {
    auto listener = os::LocalListener::Listen(socket);
    listener->Leave();
  }
  REQUIRE(std::filesystem::exists(socket));
  const auto found = FindHolder({key, "Ada"}, "ada.key", variables);
  REQUIRE(found);
  CHECK(*found == nullptr);
}
