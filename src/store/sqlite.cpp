#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>

#include "util/crash_point.h"

namespace mig::store {
namespace {

// How long to wait for another process's transaction, and how often to look whether it is over.
constexpr std::chrono::milliseconds kLongestWait{5000};
constexpr std::chrono::milliseconds kWaitStep{2};

// SQLite's own handler looks less and less often, in the end ten times a second: a process that
// commits one transaction after the other would hardly ever be met between two of them.
int WaitForLock(void*, int calls) {
  if (calls * kWaitStep >= kLongestWait) return 0;
  std::this_thread::sleep_for(kWaitStep);
  return 1;
}

Errc ErrcOf(int code) {
  switch (code & 0xFF) {  // the low byte is the primary code of an extended one
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::kMalformed;
    case SQLITE_CONSTRAINT:
      return Errc::kExists;
    case SQLITE_FULL:
      return Errc::kFull;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::kUnavailable;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Errc::kInternal;
    default:
      return Errc::kIo;
  }
}

Error ErrorOf(sqlite3* database, int code) {
  const char* file = sqlite3_db_filename(database, "main");
  std::string message = file == nullptr || *file == '\0' ? "database" : file;
  message += ": ";
  message += sqlite3_errmsg(database);
  return Error(ErrcOf(code), std::move(message));
}

// The file with mode 0600 before SQLite, which would use the umask, creates it; the journal files
// inherit the mode.
Expected<void> CreatePrivate(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) return {};
  std::FILE* created = std::fopen(file.c_str(), "wbx");
  if (created == nullptr) {
    if (std::filesystem::exists(file, error)) return {};  // another process was first
    return Error(Errc::kIo, file.string() +
                                ": cannot be created; does its folder exist, and may "
                                "this user write there?");
  }
  std::fclose(created);
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  if (error) return Error(Errc::kIo, file.string() + ": " + error.message());
  return {};
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::Remember(int code) {
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::BindOne(int index, std::int64_t value) {
  Remember(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::BindOne(int index, double value) {
  Remember(sqlite3_bind_double(statement_.get(), index, value));
}

void Statement::BindOne(int index, std::string_view text) {
  // A null pointer would bind NULL; an empty view may have one.
  Remember(sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(),
                               text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::BindOne(int index, Blob blob) {
  Remember(sqlite3_bind_blob64(statement_.get(), index, blob.bytes.empty() ? "" : blob.bytes.data(),
                               blob.bytes.size(), SQLITE_TRANSIENT));
}

void Statement::BindOne(int index, std::nullptr_t) {
  Remember(sqlite3_bind_null(statement_.get(), index));
}

Expected<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    const int code = bind_error_;
    Reset();
    return Error(ErrcOf(code), std::string("bind a parameter: ") + sqlite3_errstr(code));
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = ErrorOf(sqlite3_db_handle(statement_.get()), code);
  Reset();
  return error;
}

Expected<void> Statement::Run() {
  for (;;) {
    auto row = Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
  }
  Reset();
  return {};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::Text(int column) const { return BlobAt(column); }

Bytes Statement::BlobAt(int column) const {
  // For TEXT this is the same bytes in the database's encoding, which is UTF-8.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return Bytes(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

void Statement::Reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  bind_error_ = SQLITE_OK;
}

UtcTime TimeFromMillis(std::int64_t millis) {
  constexpr std::int64_t kEndOf9999 = 253'402'300'799'999;
  return UtcTime(std::chrono::milliseconds(std::clamp<std::int64_t>(millis, 0, kEndOf9999)));
}

Expected<std::vector<Migration>> SplitMigrations(std::string_view schema) {
  constexpr std::string_view kMark = "-- migration ";
  std::vector<Migration> steps;
  std::size_t line = 0;
  while (line < schema.size()) {
    const std::size_t end = std::min(schema.find('\n', line), schema.size());
    const std::string_view text = schema.substr(line, end - line);
    if (text.starts_with(kMark)) {
      int number = 0;
      std::from_chars(text.data() + kMark.size(), text.data() + text.size(), number);
      if (number != static_cast<int>(steps.size()) + 1) {
        return Error(Errc::kMalformed, "schema: `" + std::string(text) + "` should have number " +
                                           std::to_string(steps.size() + 1));
      }
      if (!steps.empty()) {
        Migration& last = steps.back();
        last.sql = last.sql.substr(0, static_cast<std::size_t>(text.data() - last.sql.data()));
      }
      steps.push_back(Migration{number, schema.substr(line)});
    }
    line = end + 1;
  }
  return steps;
}

void Database::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Database::Database(sqlite3* database, const std::filesystem::path& file)
    : database_(database), file_(std::make_unique<std::filesystem::path>(file)) {}

Expected<Database> Database::Open(const std::filesystem::path& file, Access access) {
  const bool writes = access != Access::kReadOnly;
  if (writes) {
    if (auto created = CreatePrivate(file); !created) return std::move(created).error();
  }
  sqlite3* handle = nullptr;
  const int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  Database database(handle, file);  // even a failed open must be closed
  if (code != SQLITE_OK) {
    return Error(ErrcOf(code), file.string() + ": " + sqlite3_errstr(code));
  }
  sqlite3_busy_handler(handle, &WaitForLock, nullptr);
  // The schema is ours, but the file may have been touched: no triggers or views with side effects,
  // no writing into the schema, no loading of code.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  if (access == Access::kAlone) {
    // Before the first use of the log, or a file for its index is made all the same, for which a
    // full disk has no room.
    auto alone = database.Execute("PRAGMA locking_mode=EXCLUSIVE");
    if (!alone) return std::move(alone).error();
  }
  auto configured = database.Execute(writes ? "PRAGMA journal_mode=WAL;"
                                              "PRAGMA synchronous=FULL;"
                                              "PRAGMA foreign_keys=ON"
                                            : "PRAGMA query_only=ON");
  if (!configured) return std::move(configured).error();
  return database;
}

Expected<void> Database::Execute(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_.get(), code);
  return {};
}

Expected<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_.get(), code);
  return Statement(statement);
}

Expected<void> Database::Migrate(std::string_view schema) {
  auto steps = SplitMigrations(schema);
  if (!steps) return std::move(steps).error();
  for (;;) {
    // The version is read inside the transaction: another process may be migrating as well.
    auto transaction = Transaction::Begin(*this);
    if (!transaction) return std::move(transaction).error();
    auto query = Prepare("PRAGMA user_version");
    if (!query) return std::move(query).error();
    auto row = query->Step();
    if (!row) return std::move(row).error();
    const auto version = static_cast<std::size_t>(query->Integer(0));
    query->Reset();
    if (version > steps->size()) {
      return Error(Errc::kUnsupported, file_->string() + ": has schema version " +
                                           std::to_string(version) + ", this build knows " +
                                           std::to_string(steps->size()) +
                                           "; use the newer mig that wrote it");
    }
    if (version == steps->size()) return {};
    const Migration& step = (*steps)[version];
    if (auto done = Execute(step.sql); !done) {
      return std::move(done).error().During("migration " + std::to_string(step.number));
    }
    if (auto done = Execute("PRAGMA user_version=" + std::to_string(step.number)); !done) {
      return std::move(done).error();
    }
    CrashPoint("store.schema.before_commit");
    if (auto done = transaction->Commit(); !done) return std::move(done).error();
    CrashPoint("store.schema.after_commit");
  }
}

namespace {

// No SQL of ours passes more values to one function.
constexpr std::size_t kMaxTestValues = 4;

void CallTest(sqlite3_context* context, int count, sqlite3_value** values) {
  std::array<std::optional<std::string_view>, kMaxTestValues> texts;
  const auto size = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < size; ++i) {
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) continue;
    const void* text = sqlite3_value_text(values[i]);  // first: converts, and so sets the length
    const auto length = static_cast<std::size_t>(sqlite3_value_bytes(values[i]));
    texts[i] = std::string_view(static_cast<const char*>(text), length);
  }
  const auto& test = *static_cast<Database::Test*>(sqlite3_user_data(context));
  const std::optional<bool> answer = test({texts.data(), size});
  if (answer) sqlite3_result_int(context, *answer ? 1 : 0);  // else NULL, the default
}

}  // namespace

Expected<void> Database::Define(const std::string& name, int arguments, Test test) {
  assert(arguments >= 0 && static_cast<std::size_t>(arguments) <= kMaxTestValues);
  auto owned = std::make_unique<Test>(std::move(test));
  // Direct use only: nothing that a touched schema holds may call it. SQLite frees `owned` itself,
  // also when it refuses.
  const int code = sqlite3_create_function_v2(
      database_.get(), name.c_str(), arguments,
      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, owned.release(), &CallTest, nullptr,
      nullptr, [](void* data) { delete static_cast<Test*>(data); });
  if (code != SQLITE_OK) return ErrorOf(database_.get(), code);
  return {};
}

Expected<void> Database::Check() { return Check("1"); }  // instead of a name: how many findings

Expected<void> Database::Check(const std::string& table) {
  auto query = Prepare("PRAGMA quick_check(" + table + ")");
  if (!query) return std::move(query).error();
  auto row = query->Step();
  if (!row) return std::move(row).error();
  const std::string finding = query->Text(0);
  if (finding != "ok") return Error(Errc::kMalformed, file_->string() + ": " + finding);
  return {};
}

std::int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(database_.get()); }

std::int64_t Database::Changes() const { return sqlite3_changes64(database_.get()); }

Expected<Transaction> Transaction::Begin(Database& database) {
  if (auto begun = database.Execute("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // Fails only when SQLite has rolled back by itself already.
  static_cast<void>(database_->Execute("ROLLBACK"));
}

Expected<void> Transaction::Commit() {
  if (auto done = database_->Execute("COMMIT"); !done) return done;
  database_ = nullptr;
  return {};
}

}  // namespace mig::store
