// What a busy broker asks its database to keep, at random but sensibly: rows are only given up that
// are there, packet identifiers are taken before they are given back.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <variant>
#include <vector>

#include "mqtt/keeper.h"

namespace mig::store {

// A batch, or a sweep at this time.
using RelayStep = std::variant<mqtt::KeepBatch, UtcTime>;

class RelayTraffic {
 public:
  explicit RelayTraffic(std::uint32_t seed) : random_(seed) {}

  RelayStep Next();

 private:
  struct Row {
    mqtt::QueueId queue = 0;
    std::uint64_t sequence = 0;
    mqtt::MessageId message = 0;
    std::optional<UtcTime> expires_at;
    bool sending = false;
  };
  struct Exchange {
    mqtt::QueueId session = 0;
    std::uint16_t packet_id = 0;
    std::optional<std::size_t> row;  // index in rows_; nothing: released
  };
  std::uint32_t Below(std::size_t bound) {
    return static_cast<std::uint32_t>(random_() % (bound == 0 ? 1 : bound));
  }
  void AddOperations(std::vector<mqtt::KeepOperation>& operations);
  void AddSession(std::vector<mqtt::KeepOperation>& operations);
  void AddMessage(std::vector<mqtt::KeepOperation>& operations);
  void AddExchange(std::vector<mqtt::KeepOperation>& operations);
  void DropQueue(mqtt::QueueId id);
  mqtt::MessageRef NewMessage();
  std::optional<std::size_t> IdleRow(bool of_session);

  std::mt19937 random_;
  std::vector<mqtt::QueueId> sessions_, groups_;
  std::map<mqtt::QueueId, std::uint64_t> sequences_;
  std::map<std::size_t, Row> rows_;
  std::size_t last_row_ = 0;
  std::vector<Exchange> sending_;
  std::set<std::pair<mqtt::QueueId, std::uint16_t>> received_;
  std::vector<mqtt::MessageRef> retained_;
  mqtt::QueueId last_queue_ = 0;
  mqtt::MessageId last_message_ = 0;
  std::uint64_t last_batch_ = 0;
  UtcTime now_{std::chrono::hours(1)};
};

}  // namespace mig::store
