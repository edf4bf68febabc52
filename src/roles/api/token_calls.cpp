// The API's calls about enrolment tokens. Who may make one follows from the grant's signatures
// (roles/api/tokens.h); sessions only say who asks.
#include "roles/api/service.h"
#include "roles/api/tokens.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::api {
namespace {

Expected<Bytes> TokenIn(const HttpRequest& request) {
  auto hash = DecodeHex(request.parameters.at(0));
  if (hash && hash->size() == 32) return hash;
  return Error(Errc::kInvalid, "a token's id has 64 hex digits");
}

// {"grant": envelope, "note": "…"}.
struct Posted {
  Envelope grant;
  std::string note;
};
Expected<Posted> ReadPosted(BytesView body) {
  auto fields = json::ParseObject(body);
  if (!fields) return std::move(fields).error();
  json::ObjectReader in(*fields, "");
  const json::object* grant = in.Object("grant");
  Posted posted;
  posted.note = in.OptionalString("note");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  auto envelope = EnvelopeFromJson(*grant, "grant");
  if (!envelope) return std::move(envelope).error();
  posted.grant = std::move(*envelope);
  return posted;
}

bool MayEnrol(const TrustedPolicy& policy, const std::string& person) {
  const auto& rule = policy.policy().enrolment;
  return rule && rule->weights.contains(person) && rule->weights.at(person) > 0;
}

}  // namespace

void ApiService::PostToken(HttpRequest request, Exchange exchange, std::string person) {
  auto posted = ReadPosted(request.body);
  if (!posted) return Reply(exchange, ErrorAnswer(posted.error()));
  auto offered =
      CheckToken(posted->grant, std::move(posted->note), person, documents_->trusted, Now());
  if (!offered) return Reply(exchange, ErrorAnswer(offered.error()));
  auto row = std::make_shared<store::TokenRow>(std::move(*offered));
  WriteToStore(
      [row, person](store::ServerTx& tx) -> Expected<void> {
        auto known = tx.FindToken(row->hash);
        if (!known) return std::move(known).error();
        // The same request again, because our first answer was lost.
        if (*known && (*known)->envelope == row->envelope) return {};
        if (auto added = tx.AddToken(*row); !added) return added;
        return tx.Audit(person, "token.created", EncodeHex(row->hash),
                        json::Write(json::object{{"uses", row->uses}, {"note", row->note}}),
                        row->created);
      },
      [this, exchange, row, person](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        log::Info("enrolment token made",
                  {{"person", person}, {"uses", std::to_string(row->uses)}});
        json::object view = ViewToken(*row, documents_->trusted, Now());
        view["address"] = config_.address;
        Reply(exchange, JsonAnswer(200, view));
      });
}

void ApiService::PostTokenSign(HttpRequest request, Exchange exchange, std::string person) {
  auto hash = TokenIn(request);
  if (!hash) return Reply(exchange, ErrorAnswer(hash.error()));
  auto posted = ReadPosted(request.body);
  if (!posted) return Reply(exchange, ErrorAnswer(posted.error()));
  auto row = std::make_shared<store::TokenRow>();
  WriteToStore(
      [row, hash = *hash, more = posted->grant, person,
       documents = documents_](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = Now();
        auto known = tx.FindToken(hash);
        if (!known) return std::move(known).error();
        if (!*known || !(*known)->envelope) {
          return Error(Errc::kNotFound, "there is no such token that waits for signatures");
        }
        *row = **known;
        if (row->ready) return {};
        if (row->revoked) return Error(Errc::kInvalid, "the token is revoked");
        auto before = DecodeEnvelope(*row->envelope);
        if (!before) return std::move(before).error();
        auto joined = JoinGrants(*before, more);
        if (!joined) return std::move(joined).error();
        auto offered = CheckToken(*joined, row->note, row->person, documents->trusted, now);
        if (!offered) return std::move(offered).error();
        row->envelope = offered->envelope;
        row->ready = offered->ready;
        auto kept = tx.SignToken(hash, *row->envelope, row->ready);
        if (!kept) return std::move(kept).error();
        return tx.Audit(person, "token.signed", EncodeHex(hash), "{}", now);
      },
      [this, exchange, row](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        Reply(exchange, JsonAnswer(200, ViewToken(*row, documents_->trusted, Now())));
      });
}

void ApiService::PostTokenRevoke(HttpRequest request, Exchange exchange, std::string person) {
  auto hash = TokenIn(request);
  if (!hash) return Reply(exchange, ErrorAnswer(hash.error()));
  if (!MayEnrol(documents_->trusted, person)) {
    return Reply(exchange, ErrorAnswer(Error(Errc::kDenied,
                                             "the policy's `enrolment` gives no weight to you")));
  }
  auto row = std::make_shared<store::TokenRow>();
  WriteToStore(
      [row, hash = *hash, person](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = Now();
        auto revoked = tx.RevokeToken(hash, now);
        if (!revoked) return std::move(revoked).error();
        auto known = tx.FindToken(hash);
        if (!known) return std::move(known).error();
        *row = **known;
        if (!*revoked) return {};
        return tx.Audit(person, "token.revoked", EncodeHex(hash), "{}", now);
      },
      [this, exchange, row](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        Reply(exchange, JsonAnswer(200, ViewToken(*row, documents_->trusted, Now())));
      });
}

void ApiService::GetTokens(HttpRequest, Exchange exchange) {
  AnswerFromStore(exchange,
                  [documents = documents_](store::ServerReader& reader) -> Expected<Answer> {
                    auto rows = reader.ListTokens();
                    if (!rows) return std::move(rows).error();
                    json::array tokens;
                    for (const store::TokenRow& row : *rows) {
                      tokens.push_back(ViewToken(row, documents->trusted, Now()));
                    }
                    return JsonAnswer(200, json::object{{"tokens", std::move(tokens)}});
                  });
}

}  // namespace mig::api
