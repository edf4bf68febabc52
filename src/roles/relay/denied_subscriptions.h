// What nobody may subscribe to, whatever rights they have: the key `deny_subscribe` of the relay's
// configuration, in front of the rights (roles/relay/topic_rights.h), or of none in open mode.
//
// An entry that names a level ("$SYS/#", "plant/+/secret") means topics: a subscription is refused
// if it could bring a message of one of them. An entry of wildcards alone ("#", "+/#") means a
// width: a subscription is refused if it is as wide, or wider; "#" forbids to listen to everything,
// and leaves "plant/#" allowed. `$share/NAME/` in front of a filter changes nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mqtt/authoriser.h"

namespace mig::relay {

class DeniedSubscriptions final : public mqtt::Authoriser {
 public:
  // Requires: mqtt::CheckFilter holds for each filter, and none is shared. `rights` outlives this.
  DeniedSubscriptions(const mqtt::Authoriser& rights, std::vector<std::string> filters)
      : rights_(rights), filters_(std::move(filters)) {}

  bool MayConnect(const mqtt::Peer& peer, std::string_view client_id) const override {
    return rights_.MayConnect(peer, client_id);
  }
  bool MayPublish(const mqtt::Peer& peer, std::string_view topic, bool retain) const override {
    return rights_.MayPublish(peer, topic, retain);
  }
  bool MaySubscribe(const mqtt::Peer& peer, std::string_view filter) const override {
    return !Denies(filter) && rights_.MaySubscribe(peer, filter);
  }
  bool IsService(const mqtt::Peer& peer) const override { return rights_.IsService(peer); }

 private:
  bool Denies(std::string_view filter) const;

  const mqtt::Authoriser& rights_;
  const std::vector<std::string> filters_;
};

}  // namespace mig::relay
