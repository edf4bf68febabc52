#include "proto/topics.h"

namespace mig::topics {
namespace {

constexpr std::string_view kDown = "mig/v1/dn/";
constexpr std::string_view kUp = "mig/v1/up/";

std::string UpTopic(const AgentId& agent, std::string_view leaf) {
  return std::string(kUp) + Shard(agent) + "/" + agent.Text() + "/" + std::string(leaf);
}

std::string DownTopic(const AgentId& agent, std::string_view leaf) {
  return std::string(kDown) + agent.Text() + "/" + std::string(leaf);
}

}  // namespace

std::string Shard(const AgentId& agent) { return EncodeHex(agent.View().substr(0, 1)); }
std::string Command(const AgentId& agent) { return DownTopic(agent, "cmd"); }
std::string Control(const AgentId& agent) { return DownTopic(agent, "ctl"); }
std::string AgentFilter(const AgentId& agent) { return DownTopic(agent, "#"); }
std::string Result(const AgentId& agent) { return UpTopic(agent, "res"); }
std::string Heartbeat(const AgentId& agent) { return UpTopic(agent, "hb"); }
std::string Presence(const AgentId& agent) { return UpTopic(agent, "st"); }

std::optional<Up> ParseUp(std::string_view topic) {
  if (!topic.starts_with(kUp)) return std::nullopt;
  topic.remove_prefix(kUp.size());
  constexpr std::size_t kIdAt = 3;  // after "ab/"
  constexpr std::size_t kLeafAt = kIdAt + AgentId::kTextLength;
  if (topic.size() < kLeafAt || topic[kIdAt - 1] != '/') return std::nullopt;
  const auto agent = AgentId::Parse(topic.substr(kIdAt, AgentId::kTextLength));
  if (!agent || topic.substr(0, kIdAt - 1) != Shard(*agent)) return std::nullopt;
  const std::string_view leaf = topic.substr(kLeafAt);
  if (leaf == "/res") return {{*agent, UpKind::kResult}};
  if (leaf == "/hb") return {{*agent, UpKind::kHeartbeat}};
  if (leaf == "/st") return {{*agent, UpKind::kPresence}};
  return std::nullopt;
}

std::optional<DownKind> ParseDown(std::string_view topic, const AgentId& self) {
  if (topic == kAllPolicy) return DownKind::kPolicy;
  if (topic == kAllCommands || topic == Command(self)) return DownKind::kCommand;
  if (topic == Control(self)) return DownKind::kControl;
  return std::nullopt;
}

}  // namespace mig::topics
