#include "roles/relay/topic_rights.h"

#include <algorithm>
#include <array>
#include <string>

#include "mqtt/topic.h"

namespace mig::relay {
namespace {

enum class Doing { kPublish, kRetain, kSubscribe, kShare };

// `{id}` stands for the peer's id as a whole level. Rights are for what the filter matches, and for
// subscriptions to part of that. kShare: the same in a group of shared subscribers whose name is
// the role. The same rules for other brokers are in examples/relays/.
struct Right {
  std::string_view role;
  Doing doing;
  std::string_view filter;
};

using enum Doing;
constexpr std::array kRights{
    Right{"agent", kPublish, "mig/v1/up/+/{id}/#"},
    Right{"agent", kSubscribe, "mig/v1/dn/{id}/#"},
    Right{"agent", kSubscribe, "mig/v1/dn/all/#"},
    Right{"api", kPublish, "mig/v1/event/#"},
    Right{"api", kPublish, "mig/v1/wake/scheduler"},
    Right{"api", kSubscribe, "mig/v1/event/#"},
    Right{"monitor", kSubscribe, "$SYS/#"},  // whatever watches the relay by MQTT
    Right{"scheduler", kPublish, "mig/v1/dn/#"},
    Right{"scheduler", kPublish, "mig/v1/event/#"},
    Right{"scheduler", kRetain, "mig/v1/dn/all/policy"},
    Right{"scheduler", kShare, "mig/v1/up/#"},
    Right{"scheduler", kShare, "mig/v1/wake/scheduler"},
    Right{"scheduler", kSubscribe, "mig/v1/up/#"},
    Right{"scheduler", kSubscribe, "mig/v1/wake/scheduler"},
};

// The right's filter for this peer. An id is [a-z0-9-]+ (crypto/certificate.h), so that it cannot
// bring a wildcard or a slash; an empty one belongs to nobody.
std::string FilterFor(const Right& right, const mqtt::Peer& peer) {
  std::string filter(right.filter);
  constexpr std::string_view kId = "{id}";
  if (const auto at = filter.find(kId); at != std::string::npos) {
    filter.replace(at, kId.size(), peer.id);
  }
  return filter;
}

template <typename Allows>
bool AnyRight(const mqtt::Peer& peer, Doing doing, Allows allows) {
  if (peer.id.empty()) return false;
  return std::ranges::any_of(kRights, [&](const Right& right) {
    return right.role == peer.role && right.doing == doing && allows(FilterFor(right, peer));
  });
}

bool IsOrExtends(std::string_view client_id, std::string_view name) {
  return client_id.starts_with(name) &&
         (client_id.size() == name.size() || client_id[name.size()] == '-');
}

// Names under which sessions of one role stand, whatever the ids of others are.
constexpr std::array<std::string_view, 3> kServices{"api", "monitor", "scheduler"};

bool IsNameOfAnotherRole(std::string_view client_id, std::string_view role) {
  return std::ranges::any_of(kServices, [&](std::string_view service) {
    return service != role && IsOrExtends(client_id, service);
  });
}

}  // namespace

bool TopicRights::MayConnect(const mqtt::Peer& peer, std::string_view client_id) const {
  if (peer.id.empty() || client_id.empty()) return false;
  // Whoever held such a session would keep its owner out of it.
  if (IsNameOfAnotherRole(client_id, peer.role)) return false;
  // An agent has one session, whose name nobody else can take: ids of agents are hashes of keys.
  if (peer.role == "agent") return client_id == peer.id;
  // A server may hold several: "scheduler", "scheduler-1", "ID", "ID-events".
  if (std::ranges::find(kServices, peer.role) == kServices.end()) return false;
  return IsOrExtends(client_id, peer.role) || IsOrExtends(client_id, peer.id);
}

bool TopicRights::MayPublish(const mqtt::Peer& peer, std::string_view topic, bool retain) const {
  const auto matches = [topic](const std::string& filter) { return mqtt::Matches(filter, topic); };
  return AnyRight(peer, kPublish, matches) && (!retain || AnyRight(peer, kRetain, matches));
}

bool TopicRights::MaySubscribe(const mqtt::Peer& peer, std::string_view filter) const {
  const auto shared = mqtt::SplitShared(filter);
  if (shared && shared->share != peer.role) return false;
  const std::string_view plain = shared ? shared->filter : filter;
  return AnyRight(peer, shared ? kShare : kSubscribe,
                  [plain](const std::string& right) { return mqtt::Covers(right, plain); });
}

bool TopicRights::IsService(const mqtt::Peer& peer) const { return peer.role != "agent"; }

}  // namespace mig::relay
