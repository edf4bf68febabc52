#include "roles/api/service.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>

#include "os/files.h"
#include "proto/access.h"
#include "roles/api/enrolment.h"
#include "roles/api/people.h"
#include "roles/api/submission.h"
#include "roles/api/tokens.h"
#include "roles/api/views.h"
#include "store/published_documents.h"
#include "trust/policy_warnings.h"
#include "util/crash_point.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::size_t kReaderThreads = 2;
constexpr std::size_t kMostTargets = 50'000;  // in one answer; the rest by `after`
constexpr std::size_t kAgentsPerRead = 1'000;
constexpr std::size_t kMaxHeaderBytes = 32 * 1024;  // a long target takes three bytes for one
constexpr std::int64_t kMostRows = 1'000;
constexpr std::size_t kResultBytes = std::size_t{4} << 20;

// A number of the query; `fallback` when it is not there. Error: kInvalid.
Expected<std::int64_t> QueryNumber(const HttpRequest& request, std::string_view name,
                                   std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const std::string text = request.parsed.Get(name);
  if (text.empty()) return fallback;
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || number < least ||
      number > most) {
    return Error(Errc::kInvalid, std::string(name) + ": expected a whole number " +
                                     std::to_string(least) + ".." + std::to_string(most));
  }
  return number;
}

Expected<ActionId> ActionIn(const HttpRequest& request) {
  return ActionId::Parse(request.parameters.at(0));
}

// A page of agents that match, as the API shows them, until `most` or the end.
Expected<json::array> ReadAgents(store::ServerReader& reader, const Target::Sql& where,
                                 AgentId after, std::size_t most, bool brief, AgentId* last) {
  json::array agents;
  *last = AgentId();
  while (agents.size() < most) {
    const std::size_t limit = std::min(kAgentsPerRead, most - agents.size());
    auto page = reader.ListAgents(where, after, limit);
    if (!page) return std::move(page).error();
    for (const store::AgentRow& agent : *page) {
      if (brief) {
        agents.push_back(json::object{{"id", agent.id.Text()},
                                      {"name", json::FromName(agent.name)},
                                      {"status", store::AgentStatusName(agent.status)},
                                      {"held", agent.cloned.has_value()},
                                      {"key", EncodeBase64(agent.key)}});
      } else {
        Expected<std::vector<store::AgentCopyRow>> copies = std::vector<store::AgentCopyRow>();
        if (agent.cloned) copies = reader.ListCopies(agent.id);
        if (!copies) return std::move(copies).error();
        agents.push_back(ViewAgent(agent, *copies));
      }
      after = agent.id;
    }
    if (page->size() < limit) return agents;
  }
  *last = after;  // perhaps there are more
  return agents;
}

Expected<void> CheckNothingNew(store::ServerTx& tx, const store::NewAction& posted,
                               const store::ActionRow& stored) {
  auto signatures = tx.ListSignatures(posted.id);
  if (!signatures) return std::move(signatures).error();
  for (const store::SignatureRow& signature : posted.signatures) {
    const bool known = std::any_of(signatures->begin(), signatures->end(),
                                   [&](const auto& row) { return row.key == signature.key; });
    if (known) continue;
    const std::string detail = stored.detail.empty() ? "" : ": " + stored.detail;
    return Error(Errc::kExists,
                 "the action is " + std::string(ActionStatusName(stored.status)) + detail);
  }
  return {};
}

}  // namespace

ApiService::ApiService(boost::asio::io_context& io, ApiConfig config, PolicyDocuments documents,
                       KeyPairPem agents_ca, std::unique_ptr<store::ServerDb> db)
    : io_(io),
      config_(std::move(config)),
      documents_(std::make_shared<PolicyDocuments>(std::move(documents))),
      agents_ca_(std::move(agents_ca)),
      db_(std::move(db)),
      watching_(io),
      readers_(kReaderThreads),
      gate_(Now()),
      streams_(io, readers_, *db_, config_.limits.streams),
      lines_(io, config_,
             {[this](const ActionId& action) { streams_.ActionChanged(action); },
              [this] { streams_.AnythingMayHaveChanged(); }, [this] { ReadDocumentsAnew(); }}) {}

ApiService::~ApiService() {
  server_.reset();
  streams_.CloseAll();
  readers_.join();
}

Expected<std::unique_ptr<ApiService>> ApiService::Start(boost::asio::io_context& io,
                                                        ApiConfig config,
                                                        os::FileDescriptor inherited) {
  auto documents = LoadPolicyDocuments(config.policy);
  if (!documents) return std::move(documents).error();
  auto ca_certificate = os::ReadFile(config.agents_ca.certificate);
  if (!ca_certificate) return std::move(ca_certificate).error();
  auto ca_key = os::ReadFile(config.agents_ca.key);
  if (!ca_key) return std::move(ca_key).error();
  auto db = store::ServerDb::Open(config.store);
  if (!db) return std::move(db).error();
  auto newest = (*db)->Read([&](store::ServerReader& reader) {
    return store::NewestDocuments(std::move(*documents), reader);
  });
  if (!newest) return std::move(newest).error();
  documents = std::move(newest);
  CrashPoint("api.people.before_store");
  auto stored = (*db)->WriteNow(
      [&](store::ServerTx& tx) { return TakePolicy(tx, documents->trusted, Now()); });
  CrashPoint("api.people.after_store");
  if (!stored) return std::move(stored).error();

  std::unique_ptr<ApiService> service(
      new ApiService(io, std::move(config), std::move(*documents),
                     KeyPairPem{std::move(*ca_key), std::move(*ca_certificate)}, std::move(*db)));
  auto attachments = Attachments::Open(io, *service->db_, service->config_.attachments.folder,
                                       service->config_.attachments.bytes);
  if (!attachments) return std::move(attachments).error();
  service->attachments_ = std::move(*attachments);
  HttpServerOptions options;
  options.listen = service->config_.listen;
  options.socket = std::move(inherited);
  options.certificate_file = service->config_.tls.certificate.string();
  options.key_file = service->config_.tls.key.string();
  options.max_connections = service->config_.limits.connections;
  options.max_connections_per_address = service->config_.limits.connections_per_address;
  options.max_header_bytes = kMaxHeaderBytes;
  options.read_deadline = service->config_.limits.read_deadline;
  options.idle_deadline = service->config_.limits.idle_deadline;
  auto server = HttpServer::Start(io, std::move(options), service->Routes());
  if (!server) return std::move(server).error();
  service->server_ = std::move(*server);
  service->lines_.Start();
  service->attachments_->StartSweeping();
  service->WatchPolicy();
  return service;
}

Expected<void> ApiService::Reload() {
  auto documents = LoadPolicyDocuments(config_.policy);
  if (!documents) return std::move(documents).error();
  auto newest = db_->Read([&](store::ServerReader& reader) {
    return store::NewestDocuments(std::move(*documents), reader);
  });
  if (!newest) return std::move(newest).error();
  if (!Adopt(std::make_shared<PolicyDocuments>(std::move(*newest)))) {
    return Error(Errc::kDenied, "the policy in the files is not the one in force, nor newer");
  }
  return server_->ReloadCertificate();
}

void ApiService::Stop(std::function<void()> done) {
  server_->Stop();
  streams_.CloseAll();
  attachments_->StopSweeping();
  watching_.cancel();
  lines_.Stop(std::move(done));
}

HttpReply ApiService::AsReply(Answer answer) {
  return {answer.status,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          std::move(answer.body)};
}

void ApiService::Reply(const Exchange& exchange, Answer answer) {
  exchange->Reply(AsReply(std::move(answer)));
}

void ApiService::AnswerFromStore(Exchange exchange, ReadAnswer read) {
  boost::asio::post(readers_, [this, exchange = std::move(exchange),
                               read = std::move(read)]() mutable {
    auto answer = db_->Read([&](store::ServerReader& reader) { return read(reader); });
    boost::asio::post(io_, [exchange = std::move(exchange), answer = std::move(answer)]() mutable {
      Reply(exchange, answer ? std::move(*answer) : ErrorAnswer(answer.error()));
    });
  });
}

void ApiService::WriteToStore(store::ServerDb::Work work,
                              std::function<void(Expected<void>)> done) {
  auto on_our_thread = [this, done](Expected<void> outcome) {
    boost::asio::post(io_,
                      [done, outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
  };
  auto queued = db_->Write(std::move(work), on_our_thread);
  if (!queued) done(std::move(queued));
}

void ApiService::GetHealth(HttpRequest, Exchange exchange) {
  json::array warnings;
  for (const PolicyWarning& warning : WarningsAbout(documents_->trusted, Statement(), Now())) {
    warnings.emplace_back(warning.text);
  }
  Reply(exchange,
        JsonAnswer(200, json::object{{"status", "ok"}, {"warnings", std::move(warnings)}}));
}

void ApiService::PostSession(HttpRequest request, Exchange exchange) {
  auto envelope = DecodeEnvelope(request.body);
  if (!envelope) return Reply(exchange, ErrorAnswer(envelope.error()));
  auto session = CheckSession(*envelope, documents_->trusted, Now());
  if (!session) {
    log::Warning("session refused",
                 {{"peer", request.peer}, {"reason", session.error().message()}});
    return Reply(exchange, ErrorAnswer(session.error()));
  }
  CrashPoint("api.session.before_store");
  WriteToStore(
      [row = *session](store::ServerTx& tx) -> Expected<void> {
        if (auto forgotten = tx.ForgetLapsed(Now()); !forgotten) return forgotten;
        // The same request again, because our first answer was lost: it is open already.
        auto known = tx.FindSession(row.id);
        if (!known) return std::move(known).error();
        if (*known) {
          if ((*known)->person == row.person) return {};
          return Error(Errc::kExists, "this session's key belongs to somebody else");
        }
        if (auto added = tx.AddSession(row); !added) return added;
        return tx.Audit(row.person, "session.opened", row.id.Text(), "{}", Now());
      },
      [exchange, row = *session](Expected<void> stored) {
        CrashPoint("api.session.after_store");
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        CrashPoint("api.session.before_answer");
        Reply(exchange,
              JsonAnswer(200, json::object{{"session", row.id.Text()},
                                           {"person", row.person},
                                           {"expireafter", FormatRfc3339(row.expireafter)}}));
      });
}

void ApiService::PostEnroll(HttpRequest request, Exchange exchange) {
  Certify(std::move(request), std::move(exchange), false);
}

void ApiService::PostRenew(HttpRequest request, Exchange exchange) {
  Certify(std::move(request), std::move(exchange), true);
}

void ApiService::Certify(HttpRequest request, Exchange exchange, bool renewal) {
  const UtcTime now = Now();
  auto envelope = DecodeEnvelope(request.body);
  if (!envelope) return Reply(exchange, ErrorAnswer(envelope.error()));
  auto applicant = renewal ? CheckRenewal(*envelope, documents_->org, now)
                           : CheckEnrolment(*envelope, documents_->org);
  if (!applicant) return Reply(exchange, ErrorAnswer(applicant.error()));
  // Before a token is used up: a request that no certificate can be made from costs nothing.
  auto certificate = CertificateFor(agents_ca_, *applicant, config_.agents_ca.validity, now);
  if (!certificate) return Reply(exchange, ErrorAnswer(certificate.error()));
  CrashPoint("api.enrol.before_store");
  auto grant = std::make_shared<std::optional<Bytes>>();
  WriteToStore(
      [renewal, row = *applicant, now, grant, documents = documents_](store::ServerTx& tx) {
        return renewal ? AdmitRenewal(tx, row, now)
                       : AdmitEnrolment(tx, row, documents->trusted, now, grant.get());
      },
      [this, grant, exchange, agent = applicant->agent, peer = request.peer, renewal,
       certificate = std::move(*certificate)](Expected<void> stored) {
        CrashPoint("api.enrol.after_store");
        if (!stored) {
          log::Warning(
              renewal ? "renewal refused" : "enrolment refused",
              {{"peer", peer}, {"agent", agent.Text()}, {"reason", stored.error().message()}});
          return Reply(exchange, ErrorAnswer(stored.error()));
        }
        log::Info(renewal ? "certificate renewed" : "agent enrolled",
                  {{"peer", peer}, {"agent", agent.Text()}});
        EnrolAnswer answer;
        answer.certificate = certificate;
        answer.agents_ca = agents_ca_.certificate;
        for (const Envelope& root : documents_->roots) {
          answer.roots.push_back(EnvelopeToJson(root));
        }
        answer.policy = EnvelopeToJson(documents_->policy);
        if (*grant) {
          auto fields = json::ParseObject(**grant);
          if (!fields) return Reply(exchange, ErrorAnswer(fields.error()));
          answer.grant = std::move(*fields);
        }
        if (documents_->freshness) answer.freshness = EnvelopeToJson(*documents_->freshness);
        CrashPoint("api.enrol.before_answer");
        Reply(exchange, {200, EncodeEnrolAnswer(answer)});
      });
}

void ApiService::PostTargets(HttpRequest request, Exchange exchange) {
  auto fields = json::ParseObject(request.body);
  if (!fields) return Reply(exchange, ErrorAnswer(fields.error()));
  json::ObjectReader in(*fields, "");
  const std::string text = in.String("target");
  const std::string after_text = in.OptionalString("after");
  if (auto ok = in.Finish(); !ok) return Reply(exchange, ErrorAnswer(ok.error()));
  auto target = Target::Parse(text);
  if (!target) return Reply(exchange, ErrorAnswer(target.error()));
  AgentId after;
  if (!after_text.empty()) {
    auto id = AgentId::Parse(after_text);
    if (!id) return Reply(exchange, ErrorAnswer(id.error()));
    after = *id;
  }
  AnswerFromStore(
      exchange,
      [where = target->ToSql(Now()), after](store::ServerReader& reader) -> Expected<Answer> {
        auto count = reader.CountAgents(where);
        if (!count) return std::move(count).error();
        AgentId last;
        auto agents = ReadAgents(reader, where, after, kMostTargets, true, &last);
        if (!agents) return std::move(agents).error();
        json::object answer{{"agents", std::move(*agents)},
                            {"total", count->total},
                            {"online", count->online},
                            {"idle", count->idle},
                            {"offline", count->offline}};
        if (!last.IsNone()) answer["next"] = last.Text();
        CrashPoint("api.targets.before_answer");
        return JsonAnswer(200, answer);
      });
}

void ApiService::PostAction(HttpRequest request, Exchange exchange, std::string person) {
  // Away from the io_context: a large audience takes a tenth of a second to check.
  boost::asio::post(readers_, [this, request = std::move(request), exchange = std::move(exchange),
                               person = std::move(person), documents = documents_]() mutable {
    Submission submission = CheckSubmission(request.body, documents->trusted, Now());
    boost::asio::post(io_, [this, peer = std::move(request.peer), exchange = std::move(exchange),
                            person = std::move(person),
                            submission = std::move(submission)]() mutable {
      if (submission.refused) {
        log::Warning("action refused", {{"peer", peer}, {"person", person}});
        return Reply(exchange, std::move(*submission.refused));
      }
      std::vector<Attachment> attachments = submission.attachments;
      attachments_->Check(std::move(attachments),
                          [this, exchange = std::move(exchange), person = std::move(person),
                           submission = std::make_shared<Submission>(std::move(submission))](
                              std::optional<Answer> missing) mutable {
                            if (missing) return Reply(exchange, std::move(*missing));
                            Keep(std::move(*submission), std::move(exchange), std::move(person));
                          });
    });
  });
}

void ApiService::Keep(Submission submission, Exchange exchange, std::string person) {
  auto shared = std::make_shared<Submission>(std::move(submission));
  auto status = std::make_shared<ActionStatus>(ActionStatus::kPending);
  CrashPoint("api.action.before_store");
  WriteToStore(
      [shared, status, person, documents = documents_](store::ServerTx& tx) -> Expected<void> {
        const ActionId id = shared->row.id;
        if (shared->audience_missing) {
          auto stored = tx.FindAction(id);
          if (!stored) return std::move(stored).error();
          if (!*stored) {
            return Error(Errc::kInvalid,
                         "audience: the ids of the machines are not there; post "
                         "{\"action\": …, \"audience\": …}");
          }
        }
        auto added = tx.AddAction(shared->row, person, Now());
        if (!added) return std::move(added).error();
        auto row = tx.FindAction(id);
        if (!row) return std::move(row).error();
        if (!*added && (*row)->status == ActionStatus::kPending) {
          // The same action again, perhaps signed by somebody else.
          auto stored = tx.FindActionEnvelope(id);
          if (!stored) return std::move(stored).error();
          *shared = JoinSubmission(stored->value_or(Bytes()), shared->row.envelope,
                                   documents->trusted, Now());
          if (shared->refused) return {};
          auto joined = tx.AddSignatures(id, shared->row.envelope, shared->row.signatures,
                                         shared->row.weight_reached, person, Now());
          if (!joined) return std::move(joined).error();
          row = tx.FindAction(id);
          if (!row) return std::move(row).error();
        } else if (!*added && IsFinal((*row)->status)) {
          // The same again after a lost answer is well; a new signature comes too late.
          auto known = CheckNothingNew(tx, shared->row, **row);
          if (!known) return known;
        }
        *status = (*row)->status;
        return {};
      },
      [this, exchange, shared, status, person](Expected<void> stored) {
        CrashPoint("api.action.after_store");
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        if (shared->refused) return Reply(exchange, std::move(*shared->refused));
        log::Info("action accepted", {{"action", shared->row.id.Text()},
                                      {"person", person},
                                      {"status", std::string(ActionStatusName(*status))}});
        if (*status != ActionStatus::kPending) lines_.WakeScheduler(shared->row.id);
        CrashPoint("api.action.before_answer");
        Reply(exchange, SubmittedAnswer(*shared, *status));
      });
}

void ApiService::GetActions(HttpRequest request, Exchange exchange) {
  auto before = QueryNumber(request, "before", 0, 0, INT64_MAX);
  if (!before) return Reply(exchange, ErrorAnswer(before.error()));
  auto limit = QueryNumber(request, "limit", 20, 1, kMostRows);
  if (!limit) return Reply(exchange, ErrorAnswer(limit.error()));
  AnswerFromStore(
      exchange,
      [before = *before, limit = *limit](store::ServerReader& reader) -> Expected<Answer> {
        auto rows = reader.ListActions(before, static_cast<std::size_t>(limit));
        if (!rows) return std::move(rows).error();
        json::array actions;
        for (const store::ActionRow& row : *rows) {
          auto counters = reader.CountCommands(row.id);
          if (!counters) return std::move(counters).error();
          actions.push_back(ViewAction(row, *counters));
        }
        json::object answer{{"actions", std::move(actions)}};
        if (static_cast<std::int64_t>(rows->size()) == limit) answer["next"] = rows->back().row;
        return JsonAnswer(200, answer);
      });
}

void ApiService::GetAction(HttpRequest request, Exchange exchange) {
  auto id = ActionIn(request);
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  AnswerFromStore(exchange, [id = *id](store::ServerReader& reader) -> Expected<Answer> {
    auto row = reader.FindAction(id);
    if (!row) return std::move(row).error();
    if (!*row) return Error(Errc::kNotFound, "there is no such action");
    auto counters = reader.CountCommands(id);
    if (!counters) return std::move(counters).error();
    auto envelope = reader.FindActionEnvelope(id);
    if (!envelope) return std::move(envelope).error();
    auto signatures = reader.ListSignatures(id);
    if (!signatures) return std::move(signatures).error();
    json::object view = ViewAction(**row, *counters);
    json::array people;
    for (const store::SignatureRow& signature : *signatures) people.emplace_back(signature.person);
    view["people"] = std::move(people);
    auto rejection = reader.FindRejection(id);
    if (!rejection) return std::move(rejection).error();
    if (*rejection) view["rejected"] = ViewRejection(**rejection);
    auto parsed = json::Parse(envelope->value_or("null"));
    view["envelope"] = parsed ? std::move(*parsed) : json::value(nullptr);
    return JsonAnswer(200, view);
  });
}

void ApiService::GetEvents(HttpRequest request, Exchange exchange) {
  auto id = ActionIn(request);
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  auto cursor = StreamCursor::Parse(request.headers.Get("Last-Event-ID"));
  if (!cursor) return Reply(exchange, ErrorAnswer(cursor.error()));
  boost::asio::post(
      readers_, [this, id = *id, cursor = *cursor, exchange = std::move(exchange)]() mutable {
        auto row = db_->Read([&](store::ServerReader& reader) { return reader.FindAction(id); });
        boost::asio::post(io_, [this, id, cursor, exchange = std::move(exchange),
                                row = std::move(row)]() mutable {
          if (!row) return Reply(exchange, ErrorAnswer(row.error()));
          if (!*row)
            return Reply(exchange, ErrorAnswer(404, "not_found", "there is no such action"));
          if (streams_.full()) {
            return Reply(exchange, ErrorAnswer(503, "full", "too many followers; try again later"));
          }
          streams_.Open(id, cursor, exchange->StartEvents());
        });
      });
}

void ApiService::GetCommands(HttpRequest request, Exchange exchange) {
  auto id = ActionIn(request);
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  AgentId after;
  if (const std::string text = request.parsed.Get("after"); !text.empty()) {
    auto parsed = AgentId::Parse(text);
    if (!parsed) return Reply(exchange, ErrorAnswer(parsed.error()));
    after = *parsed;
  }
  AnswerFromStore(exchange, [id = *id, after](store::ServerReader& reader) -> Expected<Answer> {
    auto rows = reader.ListCommands(id, after, kMostRows);
    if (!rows) return std::move(rows).error();
    json::array commands;
    for (const store::CommandRow& row : *rows) commands.push_back(ViewCommand(row));
    json::object answer{{"commands", std::move(commands)}};
    if (rows->size() == kMostRows) answer["next"] = rows->back().agent.Text();
    return JsonAnswer(200, answer);
  });
}

void ApiService::GetResults(HttpRequest request, Exchange exchange) {
  auto id = ActionIn(request);
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  auto after = QueryNumber(request, "after", 0, 0, INT64_MAX);
  if (!after) return Reply(exchange, ErrorAnswer(after.error()));
  auto limit = QueryNumber(request, "limit", kMostRows, 1, kMostRows);
  if (!limit) return Reply(exchange, ErrorAnswer(limit.error()));
  AnswerFromStore(exchange,
                  [id = *id, after = *after, limit = static_cast<std::size_t>(*limit)](
                      store::ServerReader& reader) -> Expected<Answer> {
                    auto rows = reader.ListParts(id, after, limit, kResultBytes);
                    if (!rows) return std::move(rows).error();
                    Bytes body = "{\"parts\":[";
                    for (std::size_t i = 0; i < rows->size(); ++i) {
                      const store::PartRow& row = (*rows)[i];
                      auto key = reader.FindAgentKey(row.agent);
                      if (!key) return std::move(key).error();
                      if (i > 0) body += ',';
                      body += ViewPart(row, key->value_or(Bytes()));
                    }
                    body += "]";
                    if (!rows->empty()) body += ",\"next\":" + std::to_string(rows->back().row);
                    body += "}";
                    return Answer{200, std::move(body)};
                  });
}

void ApiService::GetAgents(HttpRequest request, Exchange exchange) {
  auto limit = QueryNumber(request, "limit", kMostRows, 1, kMostRows);
  if (!limit) return Reply(exchange, ErrorAnswer(limit.error()));
  std::string text = request.parsed.Get("target");
  if (text.empty()) text = "all";
  auto target = Target::Parse(text);
  if (!target) return Reply(exchange, ErrorAnswer(target.error()));
  AgentId after;
  if (const std::string from = request.parsed.Get("after"); !from.empty()) {
    auto parsed = AgentId::Parse(from);
    if (!parsed) return Reply(exchange, ErrorAnswer(parsed.error()));
    after = *parsed;
  }
  AnswerFromStore(exchange,
                  [where = target->ToSql(Now()), after,
                   limit = *limit](store::ServerReader& reader) -> Expected<Answer> {
                    AgentId last;
                    auto agents = ReadAgents(reader, where, after, static_cast<std::size_t>(limit),
                                             false, &last);
                    if (!agents) return std::move(agents).error();
                    json::object answer{{"agents", std::move(*agents)}};
                    if (!last.IsNone()) answer["next"] = last.Text();
                    return JsonAnswer(200, answer);
                  });
}

}  // namespace mig::api
