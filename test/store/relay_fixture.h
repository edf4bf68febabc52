// An open relay database with the answers that it gave, and what tests put into it.
#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mqtt/keeper.h"
#include "store/relay_db.h"
#include "store/sqlite.h"

namespace mig::store {

using namespace std::chrono_literals;

// Long enough for a slow disk; nothing waits so long when all is well.
inline constexpr auto kPatience = 20s;

// An open database and the answers that it gave.
class Relay {
 public:
  explicit Relay(const std::filesystem::path& file, std::chrono::milliseconds group_for = 5ms) {
    auto opened = RelayDb::Open({file, group_for, 256});
    if (!opened) FAIL(opened.error().message());
    Begin(std::move(*opened));
  }
  explicit Relay(std::unique_ptr<RelayDb> opened) { Begin(std::move(opened)); }

  void Begin(std::unique_ptr<RelayDb> opened) {
    db = std::move(opened);
    snapshot = db->TakeSnapshot();
    mqtt::Keeper::Answers answers;
    answers.committed = [this](std::uint64_t batch) {
      const std::lock_guard lock(mutex);
      committed = batch;
      changed.notify_all();
    };
    answers.page = [this](mqtt::Page page) { pages.set_value(std::move(page)); };
    answers.expired = [this](std::vector<mqtt::ExpiredRow> rows) {
      expired.set_value(std::move(rows));
    };
    answers.writable = [](bool) {};
    answers.failed = [](const Error& error) { FAIL(error.message()); };
    db->Start(std::move(answers));
  }

  void Keep(std::vector<mqtt::KeepOperation> operations) {
    db->Keep(mqtt::KeepBatch{++last_batch, std::move(operations)});
  }
  void WaitCommitted() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, kPatience, [this] { return committed == last_batch; }));
  }
  std::vector<mqtt::QueueEntry> ReadPage(mqtt::QueueId queue, std::uint64_t after,
                                         std::size_t entries) {
    pages = {};
    auto future = pages.get_future();
    db->Read({queue, after, entries});
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get().rows;
  }

  mqtt::Snapshot snapshot;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t committed = 0;
  std::uint64_t last_batch = 0;
  std::promise<mqtt::Page> pages;
  std::promise<std::vector<mqtt::ExpiredRow>> expired;
  std::unique_ptr<RelayDb> db;  // last: its thread answers until it is gone
};

inline mqtt::MessageRef MakeMessage(mqtt::MessageId id, Bytes payload,
                                    std::optional<UtcTime> expires = {}) {
  auto message = std::make_shared<mqtt::Message>();
  message->id = id;
  message->topic = "t";
  message->payload = std::move(payload);
  message->properties = Bytes("\x03\x00\x01j", 4);
  message->qos = mqtt::Qos::kAtLeastOnce;
  message->expires_at = expires;
  return message;
}

inline mqtt::SessionRecord MakeSession(mqtt::QueueId id) {
  mqtt::SessionRecord session;
  session.id = id;
  session.client_id = "client-" + std::to_string(id);
  session.role = "agent";
  session.peer_id = "peer";
  session.expiry = 3600s;
  return session;
}

inline std::int64_t CountRows(const std::filesystem::path& file, const std::string& table) {
  auto database = Database::Open(file);
  REQUIRE(database);
  auto query = database->Prepare("SELECT count(*) FROM " + table);
  REQUIRE(query);
  REQUIRE(*query->Step());
  return query->Integer(0);
}

}  // namespace mig::store
