#include "mqtt/subscription_tree.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "mqtt/topic.h"

namespace mig::mqtt {
namespace {

std::vector<QueueId> Reached(const SubscriptionTree& tree, std::string_view name) {
  std::vector<std::span<const Subscription>> matches;
  tree.Match(name, matches);
  std::vector<QueueId> ids;
  for (const auto& list : matches) {
    for (const Subscription& s : list) ids.push_back(s.subscriber);
  }
  std::ranges::sort(ids);
  return ids;
}

Subscription Of(QueueId id, Qos qos = Qos::kAtMostOnce) { return {id, {qos}, 0}; }

TEST_CASE("subscription tree: exact, + and # filters are all found", "[mqtt]") {
  SubscriptionTree tree;
  CHECK(tree.Put("a/b", Of(1)));
  CHECK(tree.Put("a/+", Of(2)));
  CHECK(tree.Put("a/#", Of(3)));
  CHECK(tree.Put("#", Of(4)));
  CHECK(tree.Put("+/b", Of(5)));
  CHECK(Reached(tree, "a/b") == std::vector<QueueId>{1, 2, 3, 4, 5});
  CHECK(Reached(tree, "a") == std::vector<QueueId>{3, 4});
  CHECK(Reached(tree, "$SYS/b").empty());
  CHECK(tree.size() == 5);
}

TEST_CASE("subscription tree: the same subscriber on the same filter is replaced", "[mqtt]") {
  SubscriptionTree tree;
  CHECK(tree.Put("a", Of(1)));
  CHECK_FALSE(tree.Put("a", Of(1, Qos::kAtLeastOnce)));
  std::vector<std::span<const Subscription>> matches;
  tree.Match("a", matches);
  REQUIRE(matches.size() == 1);
  REQUIRE(matches[0].size() == 1);
  CHECK(matches[0][0].options.qos == Qos::kAtLeastOnce);
}

TEST_CASE("subscription tree: removal leaves nothing behind", "[mqtt]") {
  SubscriptionTree tree;
  for (const char* filter : {"a/b", "a/+/c", "a/#", "+/+/+"}) {
    tree.Put(filter, Of(1));
    tree.Put(filter, Of(2));
  }
  CHECK_FALSE(tree.Remove("a/+", 1));
  CHECK_FALSE(tree.Remove("a/b", 3));
  for (const char* filter : {"a/b", "a/+/c", "a/#", "+/+/+"}) {
    CHECK(tree.Remove(filter, 1));
    CHECK_FALSE(tree.Remove(filter, 1));
  }
  CHECK(Reached(tree, "a/b/c") == std::vector<QueueId>{2, 2, 2});
  for (const char* filter : {"a/b", "a/+/c", "a/#", "+/+/+"}) CHECK(tree.Remove(filter, 2));
  CHECK(tree.size() == 0);
  CHECK(Reached(tree, "a/b/c").empty());
}

TEST_CASE("subscription tree: finds what comparing every filter finds", "[mqtt]") {
  std::mt19937 random(7);
  const std::vector<std::string> levels{"a", "b", "", "$x", "+", "#"};
  const auto make = [&](bool filter) {
    std::string text;
    const auto depth = 1 + random() % 4;
    for (std::size_t i = 0; i < depth; ++i) {
      if (i > 0) text += '/';
      text += levels[random() % (filter ? 6 : 4)];
    }
    return text;
  };
  SubscriptionTree tree;
  std::vector<std::pair<std::string, QueueId>> all;
  for (QueueId id = 1; id <= 400; ++id) {
    const std::string filter = make(true);
    if (!CheckFilter(filter)) continue;
    tree.Put(filter, Of(id));
    all.emplace_back(filter, id);
  }
  for (int i = 0; i < 500; ++i) {
    const std::string name = make(false);
    if (!CheckTopicName(name)) continue;
    std::vector<QueueId> expected;
    for (const auto& [filter, id] : all) {
      if (Matches(filter, name)) expected.push_back(id);
    }
    std::ranges::sort(expected);
    INFO(name);
    CHECK(Reached(tree, name) == expected);
  }
}

}  // namespace
}  // namespace mig::mqtt
