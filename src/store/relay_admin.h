// What an administrator does with a relay's database while the relay is stopped: look whether it is
// whole, see what is in it, make it small. For `mig relay db`; the relay itself uses
// store/relay_db.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::store {

struct RelayFinding {
  std::string what;         // "queued rows without their message"
  std::uint64_t count = 0;  // 0: `what` is SQLite's own report of damage
};

struct RelayQueueSize {
  std::string name;  // client identifier, or `$share/NAME/FILTER`
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct RelayDbFigures {
  std::uint64_t sessions = 0;
  std::uint64_t away = 0;  // of these, not connected when the relay stopped or was killed
  std::uint64_t subscriptions = 0;
  std::uint64_t groups = 0;
  std::uint64_t messages = 0;  // each once, however many queues it waits in
  std::uint64_t queued = 0;    // rows of queues
  std::uint64_t queued_bytes = 0;
  std::uint64_t retained = 0;
  std::uint64_t retained_bytes = 0;
  std::uint64_t exchanges = 0;    // of QoS 2 that are under way
  std::uint64_t dropped = 0;      // queues whose rows the relay is still deleting
  std::optional<UtcTime> oldest;  // message; unknown for those that older builds wrote
  std::vector<RelayQueueSize> longest, largest;  // by messages, by bytes; the greatest first
  std::uint64_t file_bytes = 0;
  std::uint64_t log_bytes = 0;   // the write-ahead log, when this was opened
  std::uint64_t free_bytes = 0;  // within the file
};

class RelayAdmin {
 public:
  // Errors: kNotFound: no such file; kUnavailable: a relay has it; kUnsupported: another schema
  // than this build's; kMalformed; kIo.
  static Expected<RelayAdmin> Open(const std::filesystem::path& file);

  // Reads everything. What SQLite finds first, then what the relay's own rules say. Empty: sound.
  Expected<std::vector<RelayFinding>> Check();
  Expected<RelayDbFigures> Figures(std::uint64_t queues);
  // Writes the file anew without its free pages. Error: kFull, with what it takes; nothing changed.
  Expected<void> Compact();

 private:
  RelayAdmin(Database database, std::uint64_t log_bytes)
      : database_(std::move(database)), log_bytes_(log_bytes) {}
  Expected<std::int64_t> Number(const std::string& sql);
  Expected<std::vector<RelayQueueSize>> Queues(const std::string& order, std::uint64_t count);

  Database database_;
  std::uint64_t log_bytes_ = 0;
};

}  // namespace mig::store
