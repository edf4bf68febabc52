#include "test/store/server_fixture.h"

using namespace mig;
using namespace mig::store;

namespace {

bool Add(ServerFixture& fixture, std::uint64_t version, std::uint64_t root,
         const std::vector<Bytes>& roots) {
  return fixture.Write([&](ServerTx& tx) {
    return tx.AddPublishedPolicy(
        {version, root, kNow, "policy " + std::to_string(version) + "/" + std::to_string(root)},
        roots);
  });
}

}  // namespace

TEST_CASE("server: the newest published policy is that of the highest root, then version",
          "[store]") {
  ServerFixture fixture;
  CHECK_FALSE(fixture.Read([](ServerReader& reader) { return reader.FindPublishedPolicy(); }));
  CHECK(Add(fixture, 2, 1, {"root 1"}));
  CHECK(Add(fixture, 3, 1, {"root 1"}));
  CHECK(Add(fixture, 3, 2, {"root 1", "root 2"}));
  CHECK_FALSE(Add(fixture, 3, 2, {"root 1", "another root 2"}));  // what is there stays
  fixture.Reopen();
  const auto newest =
      fixture.Read([](ServerReader& reader) { return reader.FindPublishedPolicy(); });
  REQUIRE(newest);
  CHECK(newest->envelope == "policy 3/2");
  CHECK(newest->stored == kNow);
  CHECK(fixture.Read([](ServerReader& reader) { return reader.ListPublishedRoots(); }) ==
        std::vector<Bytes>{"root 1", "root 2"});
  CHECK(fixture.Read([](ServerReader& reader) { return reader.ListPublishedPolicies(2); }).size() ==
        2);
}

TEST_CASE("server: an older freshness statement does not replace a newer one", "[store]") {
  ServerFixture fixture;
  const auto keep = [&](UtcTime time, const Bytes& envelope) {
    return fixture.Write([&](ServerTx& tx) { return tx.KeepFreshness(7, time, envelope, kNow); });
  };
  CHECK(keep(kNow, "first"));
  CHECK(keep(kNow + std::chrono::hours(1), "second"));
  CHECK_FALSE(keep(kNow, "first"));
  CHECK_FALSE(keep(kNow + std::chrono::hours(1), "second again"));
  CHECK(fixture.Read([](ServerReader& reader) { return reader.FindFreshness(7); }) ==
        std::optional<Bytes>("second"));
  CHECK_FALSE(fixture.Read([](ServerReader& reader) { return reader.FindFreshness(8); }));
}
