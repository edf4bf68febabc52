// What a relay's database must hold after some operations, in the simplest way: maps. And what one
// does hold, in the same words.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mqtt/keeper.h"

namespace mig::store {

class RelayModel {
 public:
  void Apply(const mqtt::KeepBatch& batch);
  void Sweep(UtcTime now);
  // One line for each thing, in a fixed order.
  std::string Print() const;

 private:
  void Apply(const mqtt::KeepOperation& operation);
  void Dequeue(mqtt::QueueId queue, std::uint64_t sequence);

  struct Row {
    std::string text;
    std::optional<UtcTime> expires_at;
  };
  std::map<mqtt::QueueId, std::string> sessions_, groups_;
  std::map<std::pair<mqtt::QueueId, std::string>, std::string> subscriptions_;
  std::map<std::pair<mqtt::QueueId, std::uint64_t>, Row> rows_;
  std::map<std::string, std::string> retained_;
  std::set<std::pair<mqtt::QueueId, std::uint16_t>> received_;
  std::map<std::pair<mqtt::QueueId, std::uint16_t>, std::uint64_t> sending_;
};

class Relay;
// The same of an open database, through what it tells a broker at start and page by page.
std::string PrintStored(Relay& relay);

}  // namespace mig::store
