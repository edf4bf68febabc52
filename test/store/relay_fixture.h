// An open relay database with the answers that it gave, and what tests put into it.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
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
    RelayDbOptions options;
    options.file = file;
    options.group_for = group_for;
    auto opened = RelayDb::Open(std::move(options));
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
    answers.page = [this](mqtt::Page page) {
      const std::lock_guard lock(mutex);
      committed_at_page = committed;
      pages.set_value(std::move(page));
    };
    answers.expired = [this](std::vector<mqtt::ExpiredRow> rows) {
      const std::lock_guard lock(mutex);
      expired.insert(expired.end(), rows.begin(), rows.end());
      most_expired_at_once = std::max(most_expired_at_once, rows.size());
      changed.notify_all();
    };
    answers.writable = [this](bool now) {
      const std::lock_guard lock(mutex);
      writable = now;
      changed.notify_all();
    };
    answers.failed = [this](Error error) {
      const std::lock_guard lock(mutex);
      failure = std::move(error);
      changed.notify_all();
    };
    db->Start(std::move(answers));
  }

  void Keep(std::vector<mqtt::KeepOperation> operations) {
    db->Keep(mqtt::KeepBatch{++last_batch, std::move(operations)});
  }
  template <typename Condition>
  void Wait(Condition condition) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, kPatience, condition));
  }
  void WaitCommitted() {
    Wait([this] { return committed == last_batch || failure; });
    if (failure) FAIL(failure->message());
  }
  void WaitExpired(std::size_t rows) {
    Wait([&] { return expired.size() >= rows; });
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
  std::uint64_t committed_at_page = 0;
  std::vector<mqtt::ExpiredRow> expired;  // in all
  std::size_t most_expired_at_once = 0;
  bool writable = true;
  std::optional<Error> failure;
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
