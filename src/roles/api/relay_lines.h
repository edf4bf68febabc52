// The API's lines to the relays: wakes the scheduler, and hears what the scheduler announces.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/mqtt_link.h"
#include "proto/ids.h"
#include "roles/api/api_config.h"

namespace mig::api {

class RelayLines {
 public:
  struct Handlers {
    std::function<void(const ActionId&)> action_changed;
    std::function<void()> line_restored;      // what was announced meanwhile may be lost
    std::function<void()> documents_changed;  // a policy or a freshness statement was published
  };
  // Only on the thread of `io`, which must outlive this.
  RelayLines(boost::asio::io_context& io, const ApiConfig& config, Handlers handlers);
  ~RelayLines();

  void Start();
  // Tells the scheduler that there is work, by the first line that is up. When none is, nothing is
  // lost: it is told whenever one of our lines comes up, and looks itself when one of its own does.
  void WakeScheduler(const ActionId& action);
  // Tells the scheduler, and the other processes of the API, that documents were published.
  void TellOfDocuments();
  void Stop(std::function<void()> done);

 private:
  // `why` is for logs and people: the scheduler looks for all there is.
  void Wake(MqttLink& link, Bytes why);

  std::vector<std::unique_ptr<MqttLink>> links_;
  Handlers handlers_;
};

}  // namespace mig::api
