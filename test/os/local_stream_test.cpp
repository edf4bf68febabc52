#include "os/local_stream.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "test/temp_folder.h"

using namespace mig;
using namespace mig::os;
using std::chrono::milliseconds;

namespace {

LocalStream::Deadline In(milliseconds time) { return std::chrono::steady_clock::now() + time; }
constexpr milliseconds kLong{20'000};
constexpr milliseconds kShort{30};

}  // namespace

TEST_CASE("local stream: bytes go both ways, and each knows who the other is", "[os]") {
  const TempFolder folder;
  // Also where the path is longer than a socket's may be.
  const auto deep = folder / std::string(60, 'a') / std::string(60, 'b');
  std::filesystem::create_directories(deep);
  auto listener = LocalListener::Listen(deep / "s");
  REQUIRE(listener);
  struct stat status {};
  REQUIRE(stat((deep / "s").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777u) == 0600u);

  auto client = LocalStream::Connect(deep / "s", In(kLong));
  REQUIRE(client);
  auto server = listener->Accept(In(kLong));
  REQUIRE(server);
  CHECK(*server->PeerUser() == OwnUser());
  CHECK(*client->PeerUser() == OwnUser());
  REQUIRE(client->Write("question", In(kLong)));
  CHECK(server->Read(8, In(kLong)).value() == "question");
  REQUIRE(server->Write("yes", In(kLong)));
  CHECK(client->Read(3, In(kLong)).value() == "yes");
}

TEST_CASE("local stream: silence ends with the deadline, a closed end at once", "[os]") {
  const TempFolder folder;
  auto listener = LocalListener::Listen(folder / "s");
  REQUIRE(listener);
  CHECK(listener->Accept(In(kShort)).error().code() == Errc::kTimeout);
  auto client = LocalStream::Connect(folder / "s", In(kLong));
  REQUIRE(client);
  CHECK(client->Read(1, In(kShort)).error().code() == Errc::kTimeout);
  // Nobody reads: it fills up.
  CHECK(client->Write(Bytes(std::size_t{32} << 20, 'x'), In(kShort)).error().code() ==
        Errc::kTimeout);
  { const auto server = listener->Accept(In(kLong)); }
  const auto cut = client->Read(1, In(kLong));
  REQUIRE_FALSE(cut);
  CHECK(cut.error().code() == Errc::kUnavailable);
}

TEST_CASE("local stream: where nobody listens is told from what is not allowed", "[os]") {
  const TempFolder folder;
  const auto nobody = LocalStream::Connect(folder / "s", In(kLong));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code() == Errc::kUnavailable);
  { const auto listener = LocalListener::Listen(folder / "s"); }
  CHECK_FALSE(std::filesystem::exists(folder / "s"));
  folder.Write("file", "");
  CHECK(LocalStream::Connect(folder / "file", In(kLong)).error().code() == Errc::kUnavailable);
}
