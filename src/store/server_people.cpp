// People, their sessions at the API, and the audit log, in the server's database.
#include "store/server_statements.h"
#include "store/server_tx.h"
#include "util/json.h"

namespace mig::store {
namespace {

// Reads the array of key ids that ReplacePeople writes.
Expected<std::vector<KeyId>> ParseKeys(std::string_view text) {
  auto parsed = json::Parse(text);
  if (!parsed) return std::move(parsed).error();
  if (!parsed->is_array()) return Error(Errc::kMalformed, "people.keys is not an array");
  std::vector<KeyId> keys;
  for (const json::value& item : parsed->as_array()) {
    if (!item.is_string()) return Error(Errc::kMalformed, "people.keys holds no key id");
    auto key = KeyId::Parse(item.as_string());
    if (!key) return std::move(key).error();
    keys.push_back(*key);
  }
  return keys;
}

}  // namespace

Expected<std::optional<SessionRow>> ServerReader::FindSession(const KeyId& id) {
  return statements().One(
      "SELECT id, key, person, validfrom, expireafter FROM sessions WHERE id = ?",
      [](Columns& in) {
        SessionRow row;
        row.id = in.ReadId<KeyId>();
        row.key = in.BlobValue();
        row.person = in.Text();
        row.validfrom = in.Time();
        row.expireafter = in.Time();
        return row;
      },
      id.Text());
}

Expected<std::vector<PersonRow>> ServerReader::ListPeople() {
  return statements().All("SELECT id, name, active, keys FROM people ORDER BY id", [](Columns& in) {
    PersonRow row;
    row.id = in.Text();
    row.name = in.Text();
    row.active = in.Bool();
    row.keys = in.Parsed(ParseKeys(in.Text()));
    return row;
  });
}

Expected<std::vector<AuditRow>> ServerReader::ListAudit(std::int64_t before, std::size_t limit) {
  return statements().All(
      "SELECT row, time, actor, event, object, facts FROM audit_log"
      " WHERE ?1 = 0 OR row < ?1 ORDER BY row DESC LIMIT ?2",
      [](Columns& in) {
        AuditRow row;
        row.row = in.Integer();
        row.time = in.Time();
        row.actor = in.Text();
        row.event = in.Text();
        row.object = in.Text();
        row.facts = in.Text();
        return row;
      },
      before, limit);
}

Expected<void> ServerTx::AddSession(const SessionRow& session) {
  auto done = statements().Run(
      "INSERT INTO sessions(id, key, person, validfrom, expireafter) VALUES (?, ?, ?, ?, ?)",
      session.id.Text(), Blob{session.key}, session.person, Millis(session.validfrom),
      Millis(session.expireafter));
  if (!done) return std::move(done).error();
  return {};
}

Expected<bool> ServerTx::RememberNonce(const KeyId& key, std::string_view nonce, UtcTime until) {
  auto added = statements().Run("INSERT OR IGNORE INTO nonces(key, nonce, until) VALUES (?, ?, ?)",
                                key.Text(), nonce, Millis(until));
  if (!added) return std::move(added).error();
  return *added == 1;
}

Expected<void> ServerTx::ForgetLapsed(UtcTime now) {
  for (const std::string_view sql :
       {std::string_view("DELETE FROM sessions WHERE expireafter < ?"),
        std::string_view("DELETE FROM nonces WHERE until < ?"),
        std::string_view("DELETE FROM enrolment_tokens WHERE expires < ?"),
        std::string_view("DELETE FROM proposals WHERE expires < ?")}) {
    auto done = statements().Run(sql, Millis(now));
    if (!done) return std::move(done).error();
  }
  return {};
}

Expected<void> ServerTx::ReplacePeople(std::span<const PersonRow> people, UtcTime now) {
  if (auto done = statements().Run("DELETE FROM people"); !done) return std::move(done).error();
  for (const PersonRow& person : people) {
    json::array keys;
    for (const KeyId& key : person.keys) keys.emplace_back(key.Text());
    auto done = statements().Run(
        "INSERT INTO people(id, name, active, keys, updated) VALUES (?, ?, ?, ?, ?)", person.id,
        person.name, person.active, json::Write(keys), Millis(now));
    if (!done) return std::move(done).error();
  }
  return {};
}

Expected<void> ServerTx::Audit(std::string_view actor, std::string_view event,
                               std::string_view object, std::string_view facts, UtcTime now) {
  auto done = statements().Run(
      "INSERT INTO audit_log(time, actor, event, object, facts) VALUES (?, ?, ?, ?, ?)",
      Millis(now), actor, event, object, facts);
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace mig::store
