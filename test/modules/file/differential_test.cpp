// The file module against a plain implementation of its semantics (plain_search.h), over random
// trees and random searches. A failure prints its seed; MIG_FILE_SEED=N begins there, and
// MIG_FILE_TREES=N says how many trees follow.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "modules/module.h"
#include "test/modules/file/comparison.h"
#include "test/modules/file/random_search.h"
#include "test/sanitizers.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::file;

namespace {

constexpr bool kSlow = kAddressSanitizer || kThreadSanitizer;
constexpr uid_t kNobody = 65534;
constexpr std::size_t kRunsATree = 12;

std::uint64_t NumberFrom(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

json::object Parameters(const std::vector<PlainSearch>& searches) {
  json::object labelled;
  for (const PlainSearch& search : searches) labelled[search.label] = search.ToJson();
  return {{"searches", std::move(labelled)}};
}

ModuleResult RunInProcess(const json::object& parameters, UtcTime now) {
  CollectingSink sink;
  RunContext context{sink, now};
  ModuleResult summary = RunModule(*FindModule("file"), parameters, context, false);
  auto joined = std::move(sink).Take().Finish(std::move(summary));
  REQUIRE(joined);
  return std::move(*joined);
}

// While it lives, this process may do what everybody may.
class AsNobody {
 public:
  AsNobody() {
    REQUIRE(::setegid(kNobody) == 0);
    REQUIRE(::seteuid(kNobody) == 0);
  }
  ~AsNobody() {
    if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
  }
};

void CompareRun(const PlainReader& plain, const std::vector<PlainSearch>& searches, UtcTime now,
                bool as_other) {
  const json::object parameters = Parameters(searches);
  const PlainAnswer expected = plain.Run(searches, now, as_other);
  const ModuleResult result = RunInProcess(parameters, now);
  const std::string differences = Differences(searches, expected, result);
  if (differences.empty()) return;
  INFO(json::Write(parameters));
  FAIL_CHECK(differences);
}

// Compares on `trees` trees from `seed` on. Stops at the first seed that fails.
void CompareTrees(std::uint64_t seed, std::uint64_t trees, bool as_other) {
  seed = NumberFrom("MIG_FILE_SEED", seed);
  const std::uint64_t end = seed + NumberFrom("MIG_FILE_TREES", trees);
  for (; seed < end; ++seed) {
    INFO("MIG_FILE_SEED=" << seed);
    RandomSource random(seed);
    TreeWishes wishes;
    wishes.now = Now();
    wishes.closed = as_other;
    wishes.huge = random.OneIn(8);
    const MadeTree tree(random, wishes);
    const PlainReader plain(tree.path());
    for (std::size_t run = 0; run < kRunsATree; ++run) {
      const std::vector<PlainSearch> searches = RandomSearches(random, tree);
      if (as_other) {
        const AsNobody nobody;
        CompareRun(plain, searches, wishes.now, true);
      } else {
        CompareRun(plain, searches, wishes.now, false);
      }
    }
    CHECK(true);  // one assertion a tree, for the summary
  }
}

}  // namespace

TEST_CASE("file: finds and counts what a plain implementation does", "[modules]") {
  CompareTrees(1, kSlow ? 20 : 120, /*as_other=*/false);
}

TEST_CASE("file: finds and counts what a plain implementation does, as nobody", "[modules]") {
  if (::geteuid() != 0) MIG_SKIP("only root can become nobody");
  CompareTrees(1'000'000, kSlow ? 10 : 60, /*as_other=*/true);
}
