#include "roles/api/token_verb.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "os/files.h"
#include "proto/access.h"
#include "roles/api/tokens.h"
#include "store/server_db.h"

namespace mig::api {

Expected<std::string> NewToken(const ApiConfig& config, std::uint32_t uses,
                               std::chrono::milliseconds validity, std::string note, UtcTime now) {
  if (config.address.empty()) {
    return Error(Errc::kInvalid,
                 "`address` is missing: a token says how agents reach this API, "
                 "for example address: https://mig.example.net:8443");
  }
  auto documents = LoadPolicyDocuments(config.policy);
  if (!documents) return std::move(documents).error();
  auto ca = os::ReadFile(config.tls.ca);
  if (!ca) return std::move(ca).error();
  auto pin = SpkiPin(*ca);
  if (!pin) return std::move(pin).error().During(config.tls.ca.string());

  EnrolToken token;
  token.api = config.address;
  token.pin = std::move(*pin);
  token.org = documents->org;
  token.secret = RandomBytes(32);

  auto db = store::ServerDb::Open(config.store);
  if (!db) return std::move(db).error();
  store::TokenRow row;
  row.hash = Sha256(token.secret);
  row.uses = row.uses_left = uses;
  row.created = now;
  row.expires = now + validity;
  row.note = std::move(note);
  auto stored = (*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    if (auto added = tx.AddToken(row); !added) return added;
    return tx.Audit("api", "token.created", EncodeHex(row.hash),
                    json::Write(json::object{{"uses", uses}, {"note", row.note}}), now);
  });
  if (!stored) return std::move(stored).error();
  return WriteEnrolToken(token);
}

Expected<void> AddToken(const ApiConfig& config, BytesView grant, std::string note, UtcTime now) {
  auto documents = LoadPolicyDocuments(config.policy);
  if (!documents) return std::move(documents).error();
  auto envelope = DecodeEnvelope(grant);
  if (!envelope) return std::move(envelope).error();
  auto offered = CheckToken(*envelope, std::move(note), "", documents->trusted, now);
  if (!offered) return std::move(offered).error();
  auto db = store::ServerDb::Open(config.store);
  if (!db) return std::move(db).error();
  return (*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    if (auto added = tx.AddToken(*offered); !added) return added;
    return tx.Audit("api", "token.created", EncodeHex(offered->hash),
                    json::Write(json::object{{"uses", offered->uses}, {"note", offered->note}}),
                    now);
  });
}

}  // namespace mig::api
