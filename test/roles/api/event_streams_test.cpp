#include "roles/api/event_streams.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::api;

namespace {

// An action for one agent, in a store, moved along by hand.
struct Followed {
  TempFolder folder;
  UtcTime now = *ParseRfc3339("2026-11-23T09:00:00Z");
  std::unique_ptr<store::ServerDb> db = *store::ServerDb::Open(folder / "server.db");
  ActionId action = *ActionId::FromBytes(Bytes(16, 'a'));
  SecretKey key = SecretKey::Generate();
  AgentId agent = *AgentId::FromBytes(key.public_key().Fingerprint());
  StreamCursor cursor;
  std::string progress;

  Followed() {
    Write([&](store::ServerTx& tx) {
      return tx.EnrolAgent({agent, Bytes(key.public_key().View()), "agent-1"}, now);
    });
    store::NewAction row;
    row.id = action;
    row.digest = Bytes(32, 'd');
    row.envelope = "{}";
    row.weight_reached = true;
    row.name = "n";
    row.target = "all";
    row.validfrom = now;
    row.expireafter = now + std::chrono::minutes(5);
    row.limit_bytes = 1 << 20;
    Write([&](store::ServerTx& tx) -> Expected<void> {
      auto added = tx.AddAction(row, "ann", now);
      if (!added) return std::move(added).error();
      return {};
    });
  }
  void Write(const store::ServerDb::Work& work) {
    auto done = db->WriteNow(work);
    INFO((done ? "" : done.error().message()));
    REQUIRE(done);
  }
  void SetStatus(ActionStatus status) {
    Write([&](store::ServerTx& tx) -> Expected<void> {
      auto changed = tx.SetActionStatus(action, status, "", now);
      if (!changed) return std::move(changed).error();
      return {};
    });
  }
  void Prepare() {
    SetStatus(ActionStatus::kPreparing);
    Write([&](store::ServerTx& tx) -> Expected<void> {
      auto page = tx.PrepareCommands(action, Target::Parse("all")->ToSql(now), 0, 100, now);
      if (!page) return std::move(page).error();
      return tx.MarkSent(action, agent, std::nullopt, now);
    });
    SetStatus(ActionStatus::kInflight);
  }
  void AddPart(std::uint64_t seq, bool last) {
    store::IncomingPart part;
    part.action = action;
    part.agent = agent;
    part.seq = seq;
    part.last = last;
    if (last) part.status = CommandStatus::kSuccess;
    part.digest = Bytes(32, static_cast<char>('0' + seq));
    part.envelope = "{\"n\":" + std::to_string(seq) + "}";
    Write([&](store::ServerTx& tx) -> Expected<void> {
      auto stored = tx.AddPart(part, now);
      if (!stored) return std::move(stored).error();
      auto completed = tx.CompleteAction(action, now);
      if (!completed) return std::move(completed).error();
      return {};
    });
  }
  // All events from the cursor to where nothing is left, as their names.
  std::vector<std::string> Events(bool* ended = nullptr) {
    std::vector<std::string> names;
    for (int pages = 0; pages < 20; ++pages) {
      auto page = db->Read([&](store::ServerReader& reader) {
        return ReadStreamPage(reader, action, cursor, progress);
      });
      REQUIRE(page);
      for (std::size_t at = 0; (at = page->text.find("event: ", at)) != Bytes::npos;) {
        at += 7;
        names.push_back(page->text.substr(at, page->text.find('\n', at) - at));
      }
      cursor = page->cursor;
      progress = page->progress;
      if (ended != nullptr) *ended = page->ended;
      if (!page->more) break;
    }
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("event streams: parts, then the command, then progress, then the end", "[api]") {
  Followed followed;
  CHECK(followed.Events() == Names{"progress"});
  CHECK(followed.Events().empty());
  followed.Prepare();
  CHECK(followed.Events() == Names{"progress"});
  followed.AddPart(0, false);
  CHECK(followed.Events() == Names{"part", "progress"});
  followed.AddPart(1, true);
  bool ended = false;
  CHECK(followed.Events(&ended) == Names{"part", "command", "progress", "end"});
  CHECK(ended);
}

TEST_CASE("event streams: a client that comes back gets what it has not seen", "[api]") {
  Followed followed;
  followed.Prepare();
  followed.AddPart(0, false);
  followed.Events();
  const StreamCursor before = *StreamCursor::Parse(followed.cursor.Text());
  CHECK(before == followed.cursor);
  followed.AddPart(1, true);
  followed.Events();
  followed.cursor = before;
  followed.progress.clear();
  CHECK(followed.Events() == Names{"part", "command", "progress", "end"});
}

TEST_CASE("event streams: an id that is not ours is refused", "[api]") {
  CHECK(StreamCursor::Parse("")->part == 0);
  for (const char* text : {"1", "1.", ".1", "1.2.3", "-1.2", "x", "99999999999999999999.1"}) {
    INFO(text);
    CHECK_FALSE(StreamCursor::Parse(text));
  }
}
