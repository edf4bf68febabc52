// Which subscriptions a topic name reaches. Filters without wildcard, the common kind, stand in a
// hash table; the others in a tree by level. Filters here are plain: a shared subscription is one
// subscriber under the filter behind its share name. Matching rules: mqtt/topic.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mqtt/packet.h"

namespace mig::mqtt {

// A session or a share group, whoever has a queue. Counts up, also across restarts; 0 is nobody.
using QueueId = std::uint64_t;

struct Subscription {
  QueueId subscriber = 0;
  SubscribeOptions options;
  std::uint32_t identifier = 0;  // MQTT 5.0 section 3.8.2.1.2; 0: none

  bool operator==(const Subscription&) const = default;
};

class SubscriptionTree {
 public:
  SubscriptionTree();
  ~SubscriptionTree();
  SubscriptionTree(const SubscriptionTree&) = delete;
  SubscriptionTree& operator=(const SubscriptionTree&) = delete;

  // Adds a subscription, or replaces the same subscriber's on the same filter; true if it is new.
  // Requires: CheckFilter(filter) holds. The caller bounds the number of levels: matching recurses.
  bool Put(std::string_view filter, const Subscription& subscription);

  // True if there was one.
  bool Remove(std::string_view filter, QueueId subscriber);

  // Appends, for each filter that matches, its subscriptions. One subscriber may stand in several.
  // The spans are valid until the next Put or Remove.
  void Match(std::string_view name, std::vector<std::span<const Subscription>>& matches) const;

  // Filters with at least one subscription.
  std::size_t size() const { return filters_; }

 private:
  // Sorted by subscriber: ids count up, so that the usual insertion is at the end.
  using Subscriptions = std::vector<Subscription>;
  struct Node;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  static bool PutInto(Subscriptions& list, const Subscription& subscription);
  static bool RemoveFrom(Subscriptions& list, QueueId subscriber);
  bool RemoveBelow(Node& node, std::string_view rest, bool more, QueueId subscriber);
  static void MatchBelow(const Node& node, std::string_view rest, bool more, bool first,
                         std::vector<std::span<const Subscription>>& matches);

  std::unordered_map<std::string, Subscriptions, Hash, std::equal_to<>> exact_;
  std::unique_ptr<Node> root_;
  std::size_t filters_ = 0;
};

}  // namespace mig::mqtt
