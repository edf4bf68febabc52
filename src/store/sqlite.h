// SQLite behind RAII and Expected: a connection, a prepared statement, a transaction, and numbered
// migrations. Only this folder sees it; the databases (relay_db, server_db, agent_db) offer their
// roles functions that name what the role needs. https://www.sqlite.org/c3ref/intro.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mig::store {

// Marks an argument of Statement::Bind as BLOB instead of TEXT.
struct Blob {
  BytesView bytes;
};

// Milliseconds since 1970, as all our databases keep times. What a damaged row says lies before
// that or after the year 9999 becomes the nearest that does not, so that it can be reckoned with.
UtcTime TimeFromMillis(std::int64_t millis);

// A prepared statement: keep it, and run it often. Outlived by its Database. Not for two threads.
class Statement {
 public:
  Statement() = default;

  // Binds all parameters in order (?1, ?2, …), after taking the statement back to its start:
  // integers, bool, double, text (std::string, std::string_view, literals), Blob, nullptr,
  // and std::optional of these.
  // A failure is remembered and comes back from the next Step() or Run().
  template <typename... Arguments>
  Statement& Bind(const Arguments&... arguments) {
    Reset();
    (BindOne(++bound_, arguments), ...);
    return *this;
  }

  // Binds the parameter after the last one that was bound, for lists whose length is not known
  // where the program is written.
  template <typename Argument>
  Statement& Append(const Argument& argument) {
    BindOne(++bound_, argument);
    return *this;
  }

  // True: a row stands ready for the column functions. False: done.
  Expected<bool> Step();

  // Steps to the end and resets. The usual way for what returns no rows.
  Expected<void> Run();

  // Columns of the present row, from 0. NULL reads as 0 or "". The views' bytes are copied.
  bool IsNull(int column) const;
  std::int64_t Integer(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;
  Bytes BlobAt(int column) const;

  // Ends the reading transaction that an unfinished SELECT holds open, and forgets the bindings.
  void Reset();

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void BindOne(int index, std::int64_t value);
  void BindOne(int index, std::uint64_t value) { BindOne(index, static_cast<std::int64_t>(value)); }
  void BindOne(int index, int value) { BindOne(index, static_cast<std::int64_t>(value)); }
  void BindOne(int index, unsigned value) { BindOne(index, static_cast<std::int64_t>(value)); }
  void BindOne(int index, bool value) { BindOne(index, static_cast<std::int64_t>(value)); }
  void BindOne(int index, double value);
  void BindOne(int index, std::string_view text);
  void BindOne(int index, const std::string& text) { BindOne(index, std::string_view(text)); }
  void BindOne(int index, const char* text) { BindOne(index, std::string_view(text)); }
  void BindOne(int index, Blob blob);
  void BindOne(int index, std::nullptr_t);
  template <typename T>
  void BindOne(int index, const std::optional<T>& value) {
    value ? BindOne(index, *value) : BindOne(index, nullptr);
  }
  void Remember(int code);

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bound_ = 0;
  int bind_error_ = 0;
};

// One step of a schema; see SplitMigrations.
struct Migration {
  int number = 0;
  std::string_view sql;
};

// Cuts an embedded schema file into its steps. A line `-- migration N: what it does` starts step N;
// they count 1, 2, 3 …; text before the first is comment. The views point into `schema`.
// Error: kMalformed for a number out of order (a bug that the database's test finds).
Expected<std::vector<Migration>> SplitMigrations(std::string_view schema);

enum class Access {
  kReadWrite,
  kReadOnly,
  kAlone,  // reads and writes; no other process gets in, and the log's index needs no file
};

// A connection: WAL, synchronous=FULL (a commit survives power loss), foreign keys checked, other
// writers waited for at most five seconds. One thread at a time.
// Errors of all functions: kMalformed: the file is damaged or no database; kExists: a uniqueness
// or other constraint; kFull: no space left; kUnavailable: somebody else holds the lock; kIo; the
// message names the file.
class Database {
 public:
  // Opens or creates (mode 0600) the database.
  static Expected<Database> Open(const std::filesystem::path& file,
                                 Access access = Access::kReadWrite);

  // Runs statements that return no rows.
  Expected<void> Execute(std::string_view sql);
  Expected<Statement> Prepare(std::string_view sql);

  // Brings the schema to the newest step, each step in a transaction of its own; PRAGMA
  // user_version counts them. Error: kUnsupported when the file was written by a newer build.
  Expected<void> Migrate(std::string_view schema);

  // A yes-or-no function of text values for use in SQL (NULL arrives as nothing; nothing is
  // answered as NULL). It must give the same answer to the same values within one statement.
  using Test =
      std::function<std::optional<bool>(std::span<const std::optional<std::string_view>> values)>;
  Expected<void> Define(const std::string& name, int arguments, Test test);

  // Reads through the whole file, or one table and its indexes, for damage. Error: kMalformed, with
  // the first finding.
  Expected<void> Check();
  Expected<void> Check(const std::string& table);

  std::int64_t LastInsertId() const;
  // Rows changed by the last INSERT, UPDATE or DELETE.
  std::int64_t Changes() const;

  const std::filesystem::path& file() const { return *file_; }

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, const std::filesystem::path& file);

  std::unique_ptr<sqlite3, Closer> database_;
  std::unique_ptr<std::filesystem::path> file_;
};

// BEGIN IMMEDIATE; rolled back by the destructor unless Commit() succeeded. Not nested.
class Transaction {
 public:
  static Expected<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Expected<void> Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace mig::store
