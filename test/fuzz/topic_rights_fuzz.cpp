// What a client with an agent's certificate may say and hear, whatever it asks for: three lines, a
// client identifier, a filter and a topic's name. The rights are decided about filters; what counts
// is the names that then come through.
#include <cstdint>
#include <string>
#include <string_view>

#include "mqtt/topic.h"
#include "proto/topics.h"
#include "roles/relay/topic_rights.h"
#include "test/fuzz/require.h"

using namespace mig;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view client_id = text.substr(0, text.find('\n'));
  const std::string_view tail = text.substr(std::min(client_id.size() + 1, size));
  const std::string_view filter = tail.substr(0, tail.find('\n'));
  const std::string_view name = tail.substr(std::min(filter.size() + 1, tail.size()));

  const AgentId id = AgentId::FromBytes(Bytes(AgentId::kBytes, 'a')).value();
  const AgentId other = AgentId::FromBytes(Bytes(AgentId::kBytes, 'b')).value();
  const mqtt::Peer agent{"agent", id.Text(), ""};
  const relay::TopicRights rights;
  Require(rights.MayConnect(agent, client_id) == (client_id == id.Text()),
          "an agent's session has its id");
  if (!mqtt::CheckTopicName(name)) return 0;

  const auto to = topics::ParseDown(name, id);
  if (to)
    Require(!topics::ParseDown(name, other) || name.starts_with("mig/v1/dn/all/"), "not both");
  if (rights.MayPublish(agent, name, false)) {
    Require(name.starts_with("mig/v1/up/"), "an agent speaks upwards");
    Require(!topics::ParseUp(name) || topics::ParseUp(name)->agent == id, "and for itself");
  }
  Require(!rights.MayPublish(agent, name, true), "an agent retains nothing");

  if (!mqtt::CheckFilter(filter) || !rights.MaySubscribe(agent, filter)) return 0;
  Require(!mqtt::SplitShared(filter), "an agent shares with nobody");
  if (!mqtt::Matches(filter, name)) return 0;
  Require(name.starts_with(std::string("mig/v1/dn/") + id.Text() + "/") ||
              name == std::string("mig/v1/dn/") + id.Text() || name == "mig/v1/dn/all" ||
              name.starts_with("mig/v1/dn/all/"),
          "an agent hears what is for it or for all");
  return 0;
}
