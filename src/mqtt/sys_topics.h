// The topics below $SYS/broker in which a broker tells of itself, under the names that Mosquitto
// made usual, so that what people have for watching one works here too. Pure; when they are sent,
// and to whom, is the broker's matter.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "mqtt/figures.h"

namespace mig::mqtt {

// True for `$SYS` and everything below it: the broker's own, to which no client publishes. Of a
// filter: true if it could match one, as none does that begins with a wildcard (section 4.7.2).
bool IsSysTopic(std::string_view topic);

// Averages a minute over the last 1, 5 and 15 minutes, each as an exponentially weighted mean.
class LoadAverages {
 public:
  static constexpr std::size_t kKinds = 9;
  struct Load {
    std::string_view name;  // "messages/received"
    std::array<double, 3> a_minute{};
  };

  LoadAverages();
  // Takes in what was counted since the last call. Requires: passed > 0.
  void Sample(const BrokerCounters& now, std::chrono::milliseconds passed);
  std::span<const Load> loads() const { return loads_; }

 private:
  std::array<Load, kKinds> loads_;
  BrokerCounters before_;
};

using SysTopicSink = std::function<void(std::string_view topic, std::string value)>;

// Calls `sink` with each topic and its value. `wanted` is asked first, before a value is made.
void WriteSysTopics(const BrokerFigures& figures, const LoadAverages& loads,
                    const std::function<bool(std::string_view topic)>& wanted,
                    const SysTopicSink& sink);

}  // namespace mig::mqtt
