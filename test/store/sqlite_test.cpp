#include "store/sqlite.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "test/temp_folder.h"

namespace mig::store {
namespace {

constexpr std::string_view kSchema = R"(
Comment.
-- migration 1: names
CREATE TABLE names (name TEXT NOT NULL UNIQUE, data BLOB);
-- migration 2: ages
ALTER TABLE names ADD COLUMN age INTEGER;
)";

Database OpenNames(const TempFolder& folder) {
  auto database = Database::Open(folder / "names.db");
  REQUIRE(database);
  REQUIRE(database->Migrate(kSchema));
  return std::move(*database);
}

TEST_CASE("sqlite: what was bound comes back with its type", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  auto insert = database.Prepare("INSERT INTO names VALUES (?, ?, ?)");
  REQUIRE(insert);
  const std::string zeros("a\0b", 3);
  REQUIRE(insert->Bind("ann", Blob{zeros}, 41).Run());
  REQUIRE(insert->Bind(std::string("bob"), Blob{""}, nullptr).Run());
  CHECK(database.Changes() == 1);

  auto query = database.Prepare("SELECT name, data, age FROM names ORDER BY name");
  REQUIRE(query);
  REQUIRE(*query->Step());
  CHECK(query->Text(0) == "ann");
  CHECK(query->BlobAt(1) == zeros);
  CHECK(query->Integer(2) == 41);
  REQUIRE(*query->Step());
  CHECK_FALSE(query->IsNull(1));
  CHECK(query->IsNull(2));
  CHECK_FALSE(*query->Step());
}

TEST_CASE("sqlite: a broken constraint is kExists and names the file", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  REQUIRE(database.Execute("INSERT INTO names(name) VALUES('ann')"));
  auto again = database.Execute("INSERT INTO names(name) VALUES('ann')");
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  CHECK(again.error().message().find("names.db") != std::string::npos);
}

TEST_CASE("sqlite: too many parameters are an error of the run, not silence", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  auto insert = database.Prepare("INSERT INTO names(name) VALUES (?)");
  REQUIRE(insert);
  CHECK_FALSE(insert->Bind("ann", 2).Run());
  CHECK(insert->Bind("ann").Run());
}

TEST_CASE("sqlite: a transaction that is not committed leaves nothing", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  {
    auto transaction = Transaction::Begin(database);
    REQUIRE(transaction);
    REQUIRE(database.Execute("INSERT INTO names(name) VALUES('ann')"));
  }
  auto count = database.Prepare("SELECT count(*) FROM names");
  REQUIRE(*count->Step());
  CHECK(count->Integer(0) == 0);
}

TEST_CASE("sqlite: migrations run once, and a newer schema is refused", "[store]") {
  TempFolder folder;
  {
    Database database = OpenNames(folder);
    REQUIRE(database.Migrate(kSchema));
    REQUIRE(database.Execute("PRAGMA user_version=3"));
  }
  auto database = Database::Open(folder / "names.db");
  REQUIRE(database);
  auto refused = database->Migrate(kSchema);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kUnsupported);
}

TEST_CASE("sqlite: a failing migration leaves the version before it", "[store]") {
  TempFolder folder;
  auto database = Database::Open(folder / "names.db");
  REQUIRE(database);
  REQUIRE_FALSE(
      database->Migrate("-- migration 1: a\nCREATE TABLE a(x);\n"
                        "-- migration 2: b\nCREATE TABLE b(x); nonsense;\n"));
  CHECK(database->Execute("SELECT x FROM a"));
  CHECK_FALSE(database->Execute("SELECT x FROM b"));
}

TEST_CASE("sqlite: migration numbers count from 1 without a gap", "[store]") {
  CHECK(SplitMigrations("-- migration 1: a\n-- migration 2: b\n")->size() == 2);
  CHECK_FALSE(SplitMigrations("-- migration 2: a\n"));
  CHECK_FALSE(SplitMigrations("-- migration 1: a\n-- migration 3: b\n"));
}

TEST_CASE("sqlite: a new database is readable by its owner alone", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  const auto mode = std::filesystem::status(folder / "names.db").permissions();
  CHECK((mode & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("sqlite: a file that is no database is kMalformed", "[store]") {
  TempFolder folder;
  std::ofstream(folder / "names.db") << std::string(4096, 'x');
  auto database = Database::Open(folder / "names.db");
  REQUIRE_FALSE(database);
  CHECK(database.error().code() == Errc::kMalformed);
}

TEST_CASE("sqlite: read-only access cannot write", "[store]") {
  TempFolder folder;
  Database writer = OpenNames(folder);
  auto reader = Database::Open(folder / "names.db", Access::kReadOnly);
  REQUIRE(reader);
  CHECK_FALSE(reader->Execute("INSERT INTO names(name) VALUES('ann')"));
  CHECK_FALSE(Database::Open(folder / "absent.db", Access::kReadOnly));
}

TEST_CASE("sqlite: a test of ours sees texts and NULLs, and may have no answer", "[store]") {
  TempFolder folder;
  Database database = OpenNames(folder);
  REQUIRE(database.Define("same", 2, [](auto values) -> std::optional<bool> {
    if (!values[0] || !values[1]) return std::nullopt;
    return *values[0] == *values[1];
  }));
  auto query = database.Prepare("SELECT same('7', 7), same('a', 'b'), same(NULL, 'a'), same(?, ?)");
  REQUIRE(query);
  query->Bind("x").Append("x");
  REQUIRE(*query->Step());
  CHECK(query->Integer(0) == 1);
  CHECK(query->Integer(1) == 0);
  CHECK(query->IsNull(2));
  CHECK(query->Integer(3) == 1);
}

}  // namespace
}  // namespace mig::store
