// The topics of DESIGN section 6, in both directions: names to publish to, and what a received
// name says. Only plain levels of [a-z0-9-], so that any broker carries them unchanged.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/ids.h"

namespace mig::topics {

inline constexpr std::string_view kAllPolicy = "mig/v1/dn/all/policy";
inline constexpr std::string_view kAllCommands = "mig/v1/dn/all/cmd";
inline constexpr std::string_view kWakeScheduler = "mig/v1/wake/scheduler";
inline constexpr std::string_view kActionEvent = "mig/v1/event/action";  // payload: the action's id
// A scheduler came up: what it wrote before it went, and did not announce any more, is to be read.
inline constexpr std::string_view kSchedulerEvent = "mig/v1/event/scheduler";  // payload: name
inline constexpr std::string_view kAgentEvent = "mig/v1/event/agent";    // payload: the agent's id
// A policy or a freshness statement came into force: it is to be read from the store.
inline constexpr std::string_view kPolicyEvent = "mig/v1/event/policy";  // payload: its version
// What a wake says when documents were published; anything else is for logs.
inline constexpr std::string_view kWakeForPolicy = "policy";
inline constexpr std::string_view kEventFilter = "mig/v1/event/#";
inline constexpr std::string_view kUpFilter = "mig/v1/up/#";
inline constexpr std::string_view kAllFilter = "mig/v1/dn/all/#";

std::string Shard(const AgentId& agent);        // first byte of the id as two hex digits
std::string Command(const AgentId& agent);      // mig/v1/dn/<agent>/cmd
std::string Control(const AgentId& agent);      // mig/v1/dn/<agent>/ctl
std::string AgentFilter(const AgentId& agent);  // mig/v1/dn/<agent>/#
std::string Result(const AgentId& agent);       // mig/v1/up/<shard>/<agent>/res
std::string Heartbeat(const AgentId& agent);    // …/hb
std::string Presence(const AgentId& agent);     // …/st

enum class UpKind { kResult, kHeartbeat, kPresence };
struct Up {
  AgentId agent;
  UpKind kind;
};
// What arrived on a topic below mig/v1/up; nothing when it is not one of ours, or the shard is not
// the agent's.
std::optional<Up> ParseUp(std::string_view topic);

enum class DownKind { kCommand, kControl, kPolicy };
// What arrived at agent `self`; nothing when the topic is not for it.
std::optional<DownKind> ParseDown(std::string_view topic, const AgentId& self);

}  // namespace mig::topics
