// Who may publish and subscribe to what on the relay: by the role and the id in the certificate,
// from one table in the .cpp file. What the table does not name is refused.
#pragma once

#include <string_view>

#include "mqtt/authoriser.h"

namespace mig::relay {

class TopicRights final : public mqtt::Authoriser {
 public:
  bool MayConnect(const mqtt::Peer& peer, std::string_view client_id) const override;
  bool MayPublish(const mqtt::Peer& peer, std::string_view topic, bool retain) const override;
  bool MaySubscribe(const mqtt::Peer& peer, std::string_view filter) const override;
  bool IsService(const mqtt::Peer& peer) const override;  // whoever is no agent
};

}  // namespace mig::relay
