// The API's calls about policy, roots and freshness, and what it goes by itself. Nobody signs in to
// publish: the documents verify themselves.
#include <boost/asio/post.hpp>

#include "roles/api/people.h"
#include "roles/api/service.h"
#include "roles/api/tokens.h"
#include "store/published_documents.h"
#include "trust/freshness.h"
#include "util/crash_point.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::size_t kMostPolicies = 1'000;

Answer PublishedAnswer(const PolicyDocuments& documents, std::string_view status) {
  return JsonAnswer(200, json::object{{"status", status},
                                      {"version", documents.trusted.policy().version},
                                      {"root", documents.trusted.root_version()}});
}

Expected<UtcTime> TimeOf(const std::optional<Envelope>& freshness, const TrustedPolicy& policy) {
  if (!freshness) return UtcTime();
  auto held = VerifyFreshness(*freshness, policy);
  if (!held) return std::move(held).error();
  return held->time;
}

}  // namespace

std::vector<store::PersonRow> PeopleOf(const Policy& policy) {
  std::vector<store::PersonRow> people;
  for (const Person& person : policy.people) {
    store::PersonRow row{person.id, person.name, person.active, {}};
    for (const DocumentKey& key : person.keys) {
      auto public_key = VerifyingKey::From(key.type, key.key);
      if (public_key) row.keys.push_back(*KeyId::FromBytes(public_key->Fingerprint()));
    }
    people.push_back(std::move(row));
  }
  return people;
}

Expected<void> TakePolicy(store::ServerTx& tx, const TrustedPolicy& policy, UtcTime now) {
  if (auto people = tx.ReplacePeople(PeopleOf(policy.policy()), now); !people) return people;
  if (auto tokens = RefreshTokens(tx, policy); !tokens) return tokens;
  return RefreshTags(tx, policy);
}

std::optional<Freshness> ApiService::Statement() const {
  if (!documents_->freshness) return std::nullopt;
  auto held = VerifyFreshness(*documents_->freshness, documents_->trusted);
  if (!held) return std::nullopt;  // verified when it was taken
  return *held;
}

void ApiService::GetPolicy(HttpRequest, Exchange exchange) {
  Reply(exchange, JsonAnswer(200, PolicyBundle(*documents_)));
}

void ApiService::GetPolicies(HttpRequest, Exchange exchange) {
  AnswerFromStore(
      exchange, [documents = documents_](store::ServerReader& reader) -> Expected<Answer> {
        auto rows = reader.ListPublishedPolicies(kMostPolicies);
        if (!rows) return std::move(rows).error();
        json::array roots, policies;
        for (const Envelope& root : documents->roots) roots.push_back(EnvelopeToJson(root));
        for (const store::PublishedPolicyRow& row : *rows) {
          auto envelope = json::Parse(row.envelope);
          if (!envelope) return std::move(envelope).error().During("published policy");
          policies.push_back(json::object{{"policy", std::move(*envelope)},
                                          {"root", row.root_version},
                                          {"published", FormatRfc3339(row.stored)}});
        }
        return JsonAnswer(200, json::object{{"roots", std::move(roots)},
                                            {"current", EnvelopeToJson(documents->policy)},
                                            {"policies", std::move(policies)}});
      });
}

void ApiService::PostPolicy(HttpRequest request, Exchange exchange) {
  auto fields = json::ParseObject(request.body);
  if (!fields) return Reply(exchange, ErrorAnswer(fields.error()));
  auto offered = ReadPolicyBundle(documents_->org, *fields);
  if (!offered) {
    log::Warning("policy refused", {{"peer", request.peer}, {"reason", offered.error().message()}});
    return Reply(exchange, ErrorAnswer(offered.error()));
  }
  auto step = CompareForUpdate(documents_->trusted, offered->trusted);
  if (!step) {
    log::Warning("policy refused", {{"peer", request.peer}, {"reason", step.error().message()}});
    return Reply(exchange, ErrorAnswer(409, "denied", step.error().message()));
  }
  if (*step == PolicyStep::kSame) {
    return Reply(exchange, PublishedAnswer(*documents_, "already in force"));
  }
  // It would stop everybody, and only a newer one could put it right.
  if (offered->trusted.policy().expires <= Now()) {
    return Reply(exchange, ErrorAnswer(403, "expired",
                                       "the policy expired at " +
                                           FormatRfc3339(offered->trusted.policy().expires)));
  }
  auto documents = std::make_shared<const PolicyDocuments>(std::move(*offered));
  WriteToStore(
      [documents, held = documents_, peer = request.peer](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = Now();
        const TrustedPolicy& trusted = documents->trusted;
        std::vector<Bytes> roots;
        for (const Envelope& root : documents->roots) roots.push_back(EncodeEnvelope(root));
        // The one that it replaces, which may have come from the files: so the log has it.
        auto before =
            tx.AddPublishedPolicy({held->trusted.policy().version, held->trusted.root_version(),
                                   now, EncodeEnvelope(held->policy)},
                                  {});
        if (!before) return std::move(before).error();
        auto added = tx.AddPublishedPolicy({trusted.policy().version, trusted.root_version(), now,
                                            EncodeEnvelope(documents->policy)},
                                           roots);
        if (!added) return std::move(added).error();
        if (!*added) return {};
        auto time = TimeOf(documents->freshness, trusted);
        if (!time) return std::move(time).error();
        if (documents->freshness) {
          auto kept = tx.KeepFreshness(trusted.policy().version, *time,
                                       EncodeEnvelope(*documents->freshness), now);
          if (!kept) return std::move(kept).error();
        }
        return tx.Audit("root keys", "policy.published", std::to_string(trusted.policy().version),
                        json::Write(json::object{{"root", trusted.root_version()},
                                                 {"digest", EncodeBase64(trusted.policy_digest())},
                                                 {"peer", peer}}),
                        now);
      },
      [this, exchange, documents](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        // Another may have come first meanwhile: then this one is stored, and not in force.
        if (!Adopt(documents)) {
          return Reply(exchange, ErrorAnswer(409, "denied", "a newer policy came meanwhile"));
        }
        lines_.TellOfDocuments();
        Reply(exchange, PublishedAnswer(*documents_, "published"));
      });
}

void ApiService::PostFreshness(HttpRequest request, Exchange exchange) {
  auto envelope = DecodeEnvelope(request.body);
  if (!envelope) return Reply(exchange, ErrorAnswer(envelope.error()));
  auto statement = VerifyFreshness(*envelope, documents_->trusted);
  if (!statement) return Reply(exchange, ErrorAnswer(statement.error()));
  const UtcTime now = Now();
  if (statement->time > now + kFreshnessSkew) {
    return Reply(exchange, ErrorAnswer(403, "denied",
                                       "the statement is from the future: it says " +
                                           FormatRfc3339(statement->time) +
                                           "; this server's clock says " + FormatRfc3339(now)));
  }
  auto kept = std::make_shared<bool>(false);
  WriteToStore(
      [kept, version = statement->policy, time = statement->time, text = EncodeEnvelope(*envelope),
       now](store::ServerTx& tx) -> Expected<void> {
        auto outcome = tx.KeepFreshness(version, time, text, now);
        if (!outcome) return std::move(outcome).error();
        *kept = *outcome;
        return {};
      },
      [this, exchange, kept, statement = *statement, envelope = *envelope](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        if (*kept && VerifyFreshness(envelope, documents_->trusted)) {
          auto fresher = ReadPolicyBundle(documents_->org, PolicyBundle(*documents_));
          if (fresher) {
            fresher->freshness = envelope;
            documents_ = std::make_shared<const PolicyDocuments>(std::move(*fresher));
          }
          lines_.TellOfDocuments();
        }
        Reply(exchange, JsonAnswer(200, json::object{{"status", *kept ? "taken" : "not newer"},
                                                     {"version", statement.policy},
                                                     {"time", FormatRfc3339(statement.time)}}));
      });
}

bool ApiService::Adopt(std::shared_ptr<const PolicyDocuments> documents) {
  auto step = CompareForUpdate(documents_->trusted, documents->trusted);
  if (!step) {
    log::Error("policy not taken", {{"reason", step.error().message()}});
    return false;
  }
  if (*step == PolicyStep::kSame) {
    auto held = TimeOf(documents_->freshness, documents_->trusted);
    auto offered = TimeOf(documents->freshness, documents->trusted);
    if (held && offered && *offered > *held) documents_ = std::move(documents);
    return true;
  }
  documents_ = std::move(documents);
  log::Info("policy in force", {{"version", std::to_string(documents_->trusted.policy().version)},
                                {"root", std::to_string(documents_->trusted.root_version())}});
  WatchPolicy();
  WriteToStore([documents = documents_](
                   store::ServerTx& tx) { return TakePolicy(tx, documents->trusted, Now()); },
               [](Expected<void> done) {
                 if (!done) log::Error("people not stored", {{"error", done.error().message()}});
               });
  return true;
}

void ApiService::WatchPolicy() {
  const auto statement = Statement();
  LogPolicyWarnings(watch_.Due(documents_->trusted, statement ? &*statement : nullptr, Now()));
  watching_.expires_after(kPolicyWatchPeriod);
  watching_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) WatchPolicy();
  });
}

void ApiService::ReadDocumentsAnew() {
  boost::asio::post(readers_, [this, held = PolicyBundle(*documents_), org = documents_->org] {
    auto ours = ReadPolicyBundle(org, held);
    if (!ours) return;  // what is in force has verified before
    auto newest = db_->Read([&](store::ServerReader& reader) {
      return store::NewestDocuments(std::move(*ours), reader);
    });
    boost::asio::post(
        io_, [this, newest = std::make_shared<Expected<PolicyDocuments>>(std::move(newest))] {
          if (*newest) {
            Adopt(std::make_shared<const PolicyDocuments>(std::move(**newest)));
          } else {
            log::Error("published documents not read", {{"error", newest->error().message()}});
          }
        });
  });
}

}  // namespace mig::api
