#include "mqtt/subscription_tree.h"

#include <algorithm>

#include "mqtt/topic.h"

namespace mig::mqtt {

struct SubscriptionTree::Node {
  // `+` and `#` are keys like any other; names cannot contain them.
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  Subscriptions here;

  const Node* Child(std::string_view level) const {
    const auto found = children.find(level);
    return found == children.end() ? nullptr : found->second.get();
  }
};

SubscriptionTree::SubscriptionTree() : root_(std::make_unique<Node>()) {}
SubscriptionTree::~SubscriptionTree() = default;

bool SubscriptionTree::PutInto(Subscriptions& list, const Subscription& subscription) {
  const auto place =
      std::ranges::lower_bound(list, subscription.subscriber, {}, &Subscription::subscriber);
  if (place != list.end() && place->subscriber == subscription.subscriber) {
    *place = subscription;
    return false;
  }
  list.insert(place, subscription);
  return true;
}

bool SubscriptionTree::RemoveFrom(Subscriptions& list, QueueId subscriber) {
  const auto place = std::ranges::lower_bound(list, subscriber, {}, &Subscription::subscriber);
  if (place == list.end() || place->subscriber != subscriber) return false;
  list.erase(place);
  return true;
}

bool SubscriptionTree::Put(std::string_view filter, const Subscription& subscription) {
  Subscriptions* list = nullptr;
  if (!HasWildcard(filter)) {
    auto found = exact_.find(filter);
    if (found == exact_.end()) found = exact_.emplace(filter, Subscriptions{}).first;
    list = &found->second;
  } else {
    Node* node = root_.get();
    for (bool more = true; more;) {
      const std::string_view level = NextLevel(filter, more);
      auto found = node->children.find(level);
      if (found == node->children.end()) {
        found = node->children.emplace(level, std::make_unique<Node>()).first;
      }
      node = found->second.get();
    }
    list = &node->here;
  }
  if (list->empty()) ++filters_;
  return PutInto(*list, subscription);
}

bool SubscriptionTree::Remove(std::string_view filter, QueueId subscriber) {
  if (HasWildcard(filter)) {
    return RemoveBelow(*root_, filter, true, subscriber);
  }
  const auto found = exact_.find(filter);
  if (found == exact_.end() || !RemoveFrom(found->second, subscriber)) return false;
  if (found->second.empty()) {
    exact_.erase(found);
    --filters_;
  }
  return true;
}

bool SubscriptionTree::RemoveBelow(Node& node, std::string_view rest, bool more,
                                   QueueId subscriber) {
  if (!more) {
    if (!RemoveFrom(node.here, subscriber)) return false;
    if (node.here.empty()) --filters_;
    return true;
  }
  const std::string_view level = NextLevel(rest, more);
  const auto child = node.children.find(level);
  if (child == node.children.end()) return false;
  if (!RemoveBelow(*child->second, rest, more, subscriber)) return false;
  if (child->second->here.empty() && child->second->children.empty()) node.children.erase(child);
  return true;
}

void SubscriptionTree::Match(std::string_view name,
                             std::vector<std::span<const Subscription>>& matches) const {
  if (const auto found = exact_.find(name); found != exact_.end()) {
    matches.emplace_back(found->second);
  }
  MatchBelow(*root_, name, true, true, matches);
}

void SubscriptionTree::MatchBelow(const Node& node, std::string_view rest, bool more, bool first,
                                  std::vector<std::span<const Subscription>>& matches) {
  const auto add = [&matches](const Node& found) {
    if (!found.here.empty()) matches.emplace_back(found.here);
  };
  if (node.children.empty() && more) return;
  // A wildcard at the first level does not match names that begin with `$` (section 4.7.2).
  const bool wildcards = !(first && rest.starts_with('$'));
  if (wildcards) {
    // `#` stands for the levels that follow and for none: "sport/#" matches "sport".
    if (const Node* hash = node.Child("#")) add(*hash);
  }
  if (!more) {
    add(node);
    return;
  }
  const std::string_view level = NextLevel(rest, more);
  if (const Node* child = node.Child(level)) MatchBelow(*child, rest, more, false, matches);
  if (wildcards) {
    if (const Node* plus = node.Child("+")) MatchBelow(*plus, rest, more, false, matches);
  }
}

}  // namespace mig::mqtt
