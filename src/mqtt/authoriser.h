// Who may do what on the broker: the interface that a role implements (roles/relay/topic_rights.h),
// and the one that allows everything, for a broker that is open by intent.
#pragma once

#include <string>
#include <string_view>

namespace mig::mqtt {

// The other end of a connection, as its certificate told. Empty role and id on an open broker.
struct Peer {
  std::string role;
  std::string id;
  std::string address;  // for logs only

  // ROLE/ID; empty without them.
  std::string Name() const { return role.empty() ? id : role + "/" + id; }

  // A session belongs to the one who made it.
  bool SamePrincipal(const Peer& other) const { return role == other.role && id == other.id; }
};

class Authoriser {
 public:
  virtual ~Authoriser() = default;

  virtual bool MayConnect(const Peer& peer, std::string_view client_id) const = 0;
  // Wills are asked for at CONNECT, and again when they are sent.
  virtual bool MayPublish(const Peer& peer, std::string_view topic, bool retain) const = 0;
  // `filter` may begin with `$share/NAME/`.
  virtual bool MaySubscribe(const Peer& peer, std::string_view filter) const = 0;

  // True for a peer to whom many others speak: its queue has the bounds of a service
  // (Limits::service_queue_messages), not those of one client among thousands.
  virtual bool IsService(const Peer&) const { return false; }
};

class AllowAll : public Authoriser {
 public:
  bool MayConnect(const Peer&, std::string_view) const override { return true; }
  bool MayPublish(const Peer&, std::string_view, bool) const override { return true; }
  bool MaySubscribe(const Peer&, std::string_view) const override { return true; }
};

}  // namespace mig::mqtt
