// An attacker who owns the server: has the certificates of a scheduler and carries what it likes,
// but has nobody's signing key. Also the honest hands of people, with their keys, to make what the
// courier then carries to the wrong place.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <optional>

#include "crypto/envelope.h"
#include "net/mqtt_link.h"
#include "proto/result.h"
#include "test/e2e/deployment.h"

namespace mig::e2e {

class Courier {
 public:
  explicit Courier(const Lab& lab);

  void SendCommand(const AgentId& agent, const Envelope& action);
  void SendRaw(const std::string& topic, Bytes payload);
  void SendPolicy(const AgentId& agent, const Deployment& deployment, const Policy& policy);

  // The agent's signed answer about this action, state `received` left out: "started", "refused",
  // "busy" or, for a final result part, its status. Nothing when none came.
  struct Answer {
    std::string state;
    std::string code;
    std::string detail;
  };
  std::optional<Answer> WaitForAnswer(const ActionId& action,
                                      std::chrono::seconds deadline = std::chrono::seconds(10));
  // Answers that came so far no longer count.
  void Forget(const ActionId& action) { answers_.erase(action); }
  // How many result parts with `last` came for the action.
  int FinalParts(const ActionId& action) const;
  // Runs the link until `done` says true.
  bool RunUntil(std::chrono::seconds deadline, const std::function<bool()>& done);

 private:
  void OnMessage(std::string_view topic, BytesView payload);

  boost::asio::io_context io_;
  std::map<ActionId, std::vector<Answer>> answers_;
  std::map<ActionId, int> final_parts_;
  bool connected_ = false;
  std::unique_ptr<MqttLink> link_;
};

}  // namespace mig::e2e
