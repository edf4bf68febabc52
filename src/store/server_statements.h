// One connection to the server's database with its prepared statements, and the few shapes in which
// they are run: to the end, for one row, for all rows. Private to the server_*.cpp files.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/ids.h"
#include "proto/target.h"
#include "store/sqlite.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::store {

// The statuses that are not final, as SQL. Partial indexes name the same lists (server.sql).
#define MIG_OPEN_COMMAND "('prepared', 'sent', 'received', 'running')"
#define MIG_OPEN_ACTION "('pending', 'scheduled', 'preparing', 'inflight')"

inline std::int64_t Millis(UtcTime time) { return time.time_since_epoch().count(); }

// Reads the columns of the present row from left to right. What we wrote ourselves can be
// unreadable only when the file was damaged or edited: the first such column is remembered as an
// error.
class Columns {
 public:
  explicit Columns(const Statement& statement) : statement_(statement) {}

  std::int64_t Integer() { return statement_.Integer(next_++); }
  template <typename Number>
  Number Unsigned() {
    return static_cast<Number>(Integer());
  }
  bool Bool() { return Integer() != 0; }
  std::string Text() { return statement_.Text(next_++); }
  Bytes BlobValue() { return statement_.BlobAt(next_++); }
  UtcTime Time() { return TimeFromMillis(Integer()); }
  std::optional<UtcTime> OptionalTime() {
    if (SkipNull()) return std::nullopt;
    return Time();
  }
  std::optional<bool> OptionalBool() {
    if (SkipNull()) return std::nullopt;
    return Bool();
  }
  template <typename IdType>
  IdType ReadId() {
    return Parsed(IdType::Parse(Text()));
  }
  template <typename IdType>
  std::optional<IdType> OptionalId() {
    if (SkipNull()) return std::nullopt;
    return ReadId<IdType>();
  }
  // A value that a parser made of a column; its default when that failed.
  template <typename Value>
  Value Parsed(Expected<Value> value) {
    if (value) return std::move(*value);
    if (!error_) error_ = std::move(value).error();
    return Value{};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  bool SkipNull() {
    if (!statement_.IsNull(next_)) return false;
    ++next_;
    return true;
  }

  const Statement& statement_;
  int next_ = 0;
  std::optional<Error> error_;
};

class ServerStatements {
 public:
  static Expected<std::unique_ptr<ServerStatements>> Open(const std::filesystem::path& file,
                                                          Access access);

  Database& database() { return database_; }

  // A statement in use: taken back to its start at the end, so that it holds no lock.
  class Use {
   public:
    explicit Use(Statement& statement) : statement_(&statement) {}
    Use(Use&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (statement_ != nullptr) statement_->Reset();
    }
    Statement& operator*() { return *statement_; }
    Statement* operator->() { return statement_; }

   private:
    Statement* statement_;
  };
  // `sql` is a literal: its statement is prepared once. One use of a text at a time.
  Expected<Use> Prepare(std::string_view sql);

  // Runs to the end; returns how many rows an INSERT, UPDATE or DELETE changed.
  template <typename... Arguments>
  Expected<std::int64_t> Run(std::string_view sql, const Arguments&... arguments) {
    auto use = Prepare(sql);
    if (!use) return std::move(use).error();
    (*use)->Bind(arguments...);
    if (auto done = (*use)->Run(); !done) return std::move(done).error();
    return database_.Changes();
  }

  // The first row, read by `read(Columns&)`.
  template <typename Read, typename... Arguments>
  auto One(std::string_view sql, Read read, const Arguments&... arguments)
      -> Expected<std::optional<std::invoke_result_t<Read, Columns&>>> {
    using Row = std::invoke_result_t<Read, Columns&>;
    auto use = Prepare(sql);
    if (!use) return std::move(use).error();
    (*use)->Bind(arguments...);
    auto there = (*use)->Step();
    if (!there) return std::move(there).error();
    if (!*there) return std::optional<Row>();
    Columns columns(**use);
    std::optional<Row> row(read(columns));
    if (columns.error()) return Damaged(*columns.error());
    return row;
  }

  template <typename Read, typename... Arguments>
  auto All(std::string_view sql, Read read, const Arguments&... arguments)
      -> Expected<std::vector<std::invoke_result_t<Read, Columns&>>> {
    auto use = Prepare(sql);
    if (!use) return std::move(use).error();
    (*use)->Bind(arguments...);
    return Rows(**use, read);
  }

  // For a statement with a target's condition, which is not worth keeping. The condition's
  // parameters come first in the text, `arguments` after it.
  template <typename Read, typename... Arguments>
  auto AllWhere(const std::string& sql, const Target::Sql& where, Read read,
                const Arguments&... arguments)
      -> Expected<std::vector<std::invoke_result_t<Read, Columns&>>> {
    auto statement = database_.Prepare(sql);
    if (!statement) return std::move(statement).error();
    for (const auto& parameter : where.parameters) {
      std::visit([&](const auto& value) { statement->Append(value); }, parameter);
    }
    (statement->Append(arguments), ...);
    return Rows(*statement, read);
  }

 private:
  explicit ServerStatements(Database database) : database_(std::move(database)) {}

  template <typename Read>
  auto Rows(Statement& statement, Read read)
      -> Expected<std::vector<std::invoke_result_t<Read, Columns&>>> {
    std::vector<std::invoke_result_t<Read, Columns&>> rows;
    for (;;) {
      auto there = statement.Step();
      if (!there) return std::move(there).error();
      if (!*there) return rows;
      Columns columns(statement);
      rows.push_back(read(columns));
      if (columns.error()) return Damaged(*columns.error());
    }
  }
  Error Damaged(const Error& error) const {
    return Error(Errc::kMalformed, database_.file().string() + ": " + error.message());
  }
  Expected<void> DefineFunctions();
  std::optional<bool> Found(std::string_view agent, std::string_view action, bool want);

  Database database_;
  std::map<std::string_view, Statement> statements_;
};

}  // namespace mig::store
