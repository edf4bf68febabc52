#include "cli/api_client.h"

#include <algorithm>
#include <thread>

#include "net/http_client.h"
#include "net/http_message.h"
#include "net/http_signature.h"
#include "proto/access.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 256 * 1024;  // docs/api.md, "PUT /v1/attachments/{sha256}"
constexpr int kMostIdlePieces = 8;
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1'000};
constexpr milliseconds kPauseSlice{20};
constexpr milliseconds kSteadyStream{5'000};
// Each up to 256 KiB: a page stays well below what the HTTP client takes for one reply.
constexpr std::size_t kPageParts = 20;
constexpr std::size_t kMostListed = 1'000'000;  // a server could go on for ever
constexpr std::size_t kMaxServerWords = 500;    // of a message that is shown

bool IsAway(const Error& error) {
  return error.code() == Errc::kUnavailable || error.code() == Errc::kTimeout;
}

// {"error": {"code", "message"}} of a reply that is no success, with what it means for the verbs.
struct ServerError {
  std::string code;
  Error error;
};

ServerError ReadServerError(const HttpReply& reply) {
  std::string code, message;
  if (auto body = json::ParseObject(reply.body)) {
    const json::value* inner = body->if_contains("error");
    if (const json::object* fields = inner == nullptr ? nullptr : inner->if_object()) {
      json::ObjectReader in(*fields, "error", json::ObjectReader::Unknown::kIgnore);
      code = in.OptionalString("code");
      message = in.OptionalString("message");
    }
  }
  if (message.empty()) {
    message = "the server answered " + std::to_string(reply.status) + " " +
              std::string(HttpReason(reply.status));
  }
  message.resize(std::min(message.size(), kMaxServerWords));
  const auto code_of = [](int status) {
    switch (status) {
      case 401:
      case 403:
        return Errc::kDenied;
      case 404:
        return Errc::kNotFound;
      case 409:
        return Errc::kExists;
      case 429:
      case 502:
      case 503:
      case 504:
        return Errc::kUnavailable;
      default:
        return status >= 500 ? Errc::kInternal : Errc::kInvalid;
    }
  };
  // A refusal's code is what agents would answer and what the documentation explains.
  if (reply.status == 403 && !code.empty() && code != "denied") message = code + ": " + message;
  return {code, Error(code_of(reply.status), message)};
}

Expected<json::object> ReadBody(const HttpReply& reply) {
  auto body = json::ParseObject(reply.body);
  if (!body) return std::move(body).error().During("the server's answer");
  return body;
}

Expected<std::vector<const json::object*>> ObjectsIn(const json::object& body,
                                                     std::string_view name) {
  const json::value* value = body.if_contains(name);
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  std::vector<const json::object*> objects;
  bool sound = list != nullptr;
  for (std::size_t i = 0; sound && i < list->size(); ++i) {
    objects.push_back((*list)[i].if_object());
    sound = objects.back() != nullptr;
  }
  if (sound) return objects;
  return Error(Errc::kMalformed,
               "the server's answer: `" + std::string(name) + "` is not a list of objects");
}

Expected<ActionInfo> ReadActionInfo(const json::object& fields) {
  json::ObjectReader in(fields, "action", json::ObjectReader::Unknown::kIgnore);
  ActionInfo info;
  auto id = ActionId::Parse(in.String("id"));
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (!id) return std::move(id).error();
  info.id = *id;
  auto progress = ReadProgress(fields);
  if (!progress) return std::move(progress).error();
  info.progress = std::move(*progress);
  info.fields = fields;
  return info;
}

// The envelope of an action that the server shows, and what stands in it; nothing where it shows
// none.
Expected<void> ReadEnvelope(const json::object& fields, ActionInfo& info) {
  const json::value* value = fields.if_contains("envelope");
  if (value == nullptr || !value->is_object()) return {};
  auto envelope = EnvelopeFromJson(value->get_object(), "envelope");
  if (!envelope) return std::move(envelope).error();
  if (envelope->payload_type != kActionType) {
    return Error(Errc::kMalformed, "the server shows something else than an action");
  }
  auto action = DecodeAction(envelope->payload);
  if (!action) return std::move(action).error().During("the action that the server shows");
  if (action->id != info.id) {
    return Error(Errc::kMalformed, "the server shows another action than it names");
  }
  info.envelope = std::move(*envelope);
  info.action = std::move(*action);
  return {};
}

Expected<Proposal> ReadProposal(const json::object& fields) {
  json::ObjectReader in(fields, "proposal", json::ObjectReader::Unknown::kIgnore);
  Proposal proposal;
  auto id = ActionId::Parse(in.String("id"));
  auto kind = ParseKind(in.String("kind"));
  proposal.proposer = in.String("proposer");
  proposal.name = in.String("name");
  proposal.target = in.String("target");
  proposal.reason = in.String("reason");
  proposal.created = in.Time("created");
  proposal.expires = in.Time("expires");
  if (const json::array* operations = in.Array("operations")) {
    for (const json::value& value : *operations) {
      const json::object* inner = value.if_object();
      if (inner == nullptr) {
        in.Fail("operations", "is not a list of objects");
        break;
      }
      json::ObjectReader operation(*inner, "proposal.operations");
      const std::string module = operation.String("module");
      const json::object* parameters = operation.Object("parameters");
      if (auto done = operation.Finish(); !done) return std::move(done).error();
      proposal.operations.push_back({module, *parameters});
    }
  }
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (!id) return std::move(id).error();
  if (!kind) return std::move(kind).error();
  proposal.id = *id;
  proposal.kind = *kind;
  proposal.fields = fields;
  return proposal;
}

}  // namespace

struct ApiClient::Session {
  explicit Session(SecretKey k) : key(std::move(k)) {}
  SecretKey key;
  std::string id;
};

ApiClient::ApiClient(const ClientConfig& config, std::function<void(const Error&)> waiting,
                     std::chrono::milliseconds patience)
    : url_(config.api), org_(config.org), waiting_(std::move(waiting)), patience_(patience) {
  HttpClientOptions options;
  options.url = url_;
  options.ca_file = config.ca.string();
  http_ = std::make_unique<HttpClient>(std::move(options));
}

ApiClient::~ApiClient() = default;

void ApiClient::Interrupt() {
  interrupted_ = true;
  http_->Interrupt();
}

void ApiClient::Resume() {
  // The interrupt may still lie in wait for the next call.
  stale_interrupt_ = interrupted_.exchange(false);
}

bool ApiClient::Pause(milliseconds time) const {
  // In slices, because nothing but the flag tells a sleeping thread of an interrupt.
  const auto until = Clock::now() + time;
  while (!interrupted_ && Clock::now() < until) std::this_thread::sleep_for(kPauseSlice);
  return !interrupted_;
}

Expected<void> ApiClient::Sign(HttpCall& call) const {
  if (!session_) return Error(Errc::kInternal, "no session is open");
  SignedParts parts;
  parts.method = call.method;
  parts.target_uri = url_ + call.target;
  if (!call.body.empty()) {
    parts.content_digest = ContentDigest(call.body);
    call.headers.Add("Content-Digest", parts.content_digest);
  }
  SignatureParameters parameters;
  parameters.created = std::chrono::floor<std::chrono::seconds>(Now());
  parameters.nonce = EncodeBase64Url(RandomBytes(16));
  parameters.keyid = session_->id;
  const SignatureFields fields = SignRequest(parts, parameters, session_->key);
  call.headers.Add("Signature-Input", fields.signature_input);
  call.headers.Add("Signature", fields.signature);
  return {};
}

Expected<HttpReply> ApiClient::Exchange(HttpCall call, bool sign) {
  const auto give_up = Clock::now() + patience_;
  milliseconds pause = kFirstPause;
  bool reopened = false;
  for (;;) {
    if (interrupted_) return Error(Errc::kUnavailable, "interrupted");
    HttpCall attempt = call;
    // Signed anew each time: a nonce is good once.
    if (sign) {
      if (auto signed_call = Sign(attempt); !signed_call) return std::move(signed_call).error();
    }
    auto reply = http_->Call(std::move(attempt));
    std::optional<Error> away;
    if (!reply) {
      if (!IsAway(reply.error())) return reply;
      if (std::exchange(stale_interrupt_, false)) continue;
      away = std::move(reply).error();
    } else if (reply->status < 200 || reply->status > 299) {
      ServerError refused = ReadServerError(*reply);
      // The session lapsed, or the server lost it: opened anew, once, without asking anybody.
      const bool lost = reply->status == 401 || refused.code == "denied";
      if (sign && lost && !reopened) {
        reopened = true;
        if (auto opened = OpenSession(*signer_); !opened) return std::move(opened).error();
        continue;
      }
      if (!IsAway(refused.error)) return std::move(refused.error);
      away = std::move(refused.error);
    } else {
      return reply;
    }
    if (Clock::now() + pause > give_up) return std::move(*away);
    if (waiting_) std::exchange(waiting_, nullptr)(*away);
    if (!Pause(pause)) return Error(Errc::kUnavailable, "interrupted");
    pause = std::min(pause * 2, kLongestPause);
  }
}

Expected<json::object> ApiClient::Ask(std::string method, std::string target, Bytes body,
                                      bool sign) {
  HttpCall call;
  call.method = std::move(method);
  call.target = std::move(target);
  call.body = std::move(body);
  call.headers.Add("Accept", "application/json");
  if (!call.body.empty()) call.headers.Add("Content-Type", "application/json");
  auto reply = Exchange(std::move(call), sign);
  if (!reply) return std::move(reply).error();
  return ReadBody(*reply);
}

Expected<PolicyDocuments> ApiClient::GetDocuments() {
  auto body = Ask("GET", "/v1/policy", {}, false);
  if (!body) return std::move(body).error();
  auto documents = ReadPolicyBundle(org_, *body);
  if (!documents) {
    return std::move(documents).error().During("the server's policy does not verify");
  }
  return documents;
}

Expected<TrustedPolicy> ApiClient::GetPolicy() {
  auto documents = GetDocuments();
  if (!documents) return std::move(documents).error();
  return std::move(documents->trusted);
}

Expected<json::object> ApiClient::ListPolicies() { return Ask("GET", "/v1/policies", {}, false); }

Expected<json::object> ApiClient::PostPolicy(const json::object& bundle) {
  return Ask("POST", "/v1/policy", json::Write(bundle), false);
}

Expected<json::object> ApiClient::PostFreshness(const Envelope& statement) {
  return Ask("POST", "/v1/freshness", EncodeEnvelope(statement), false);
}

Expected<void> ApiClient::OpenSession(Signer& signer) {
  signer_ = &signer;
  auto session = std::make_unique<Session>(SecretKey::Generate());
  SessionRequest request;
  request.org = org_;
  request.key = Bytes(session->key.public_key().View());
  const UtcTime now = Now();
  // Clocks differ: backdated, and a little less than the longest that is allowed.
  request.validfrom = now - std::chrono::minutes(1);
  request.expireafter = request.validfrom + kMaxSessionValidity;
  request.nonce = RandomBytes(16);
  auto envelope = Seal(kSessionType, EncodeSessionRequest(request), signer);
  if (!envelope) return std::move(envelope).error();
  auto body = Ask("POST", "/v1/session", EncodeEnvelope(*envelope), false);
  if (!body) return std::move(body).error().During("open a session");
  json::ObjectReader in(*body, "session", json::ObjectReader::Unknown::kIgnore);
  session->id = in.String("session");
  if (auto done = in.Finish(); !done) return done;
  session_ = std::move(session);
  return {};
}

Expected<std::vector<json::object>> ApiClient::AskForAll(
    std::string_view list,
    const std::function<Expected<json::object>(const std::string& after)>& ask) {
  std::vector<json::object> all;
  std::string after;
  for (;;) {
    auto body = ask(after);
    if (!body) return std::move(body).error();
    auto page = ObjectsIn(*body, list);
    if (!page) return std::move(page).error();
    for (const json::object* fields : *page) all.push_back(*fields);
    json::ObjectReader in(*body, "the server's answer", json::ObjectReader::Unknown::kIgnore);
    after.clear();
    if (const json::value* next = in.OptionalAny("next")) {
      after = next->is_string() ? std::string(next->get_string()) : json::Write(*next);
    }
    if (auto done = in.Finish(); !done) return std::move(done).error();
    if (after.empty()) return all;
    if (page->empty() || all.size() > kMostListed) {
      return Error(Errc::kMalformed, "the server's answer: `" + std::string(list) + "` has no end");
    }
  }
}

Expected<std::vector<ShownAgent>> ApiClient::GetTargets(const std::string& target) {
  auto agents = AskForAll("agents", [&](const std::string& after) {
    json::object body{{"target", target}};
    if (!after.empty()) body["after"] = after;
    return Ask("POST", "/v1/targets", json::Write(body));
  });
  if (!agents) return std::move(agents).error();
  std::vector<ShownAgent> shown;
  shown.reserve(agents->size());
  for (const json::object& fields : *agents) {
    json::ObjectReader in(fields, "agents[" + std::to_string(shown.size()) + "]",
                          json::ObjectReader::Unknown::kIgnore);
    auto id = AgentId::Parse(in.String("id"));
    ShownAgent agent;
    agent.name = ReadName(fields, "name");
    agent.status = in.OptionalString("status");
    agent.held = in.OptionalBool("held", false);
    agent.key = in.Base64("key");
    if (auto done = in.Finish(); !done) return std::move(done).error();
    if (!id) return std::move(id).error();
    agent.id = *id;
    shown.push_back(std::move(agent));
  }
  return shown;
}

Expected<Bytes> ApiClient::GetAudience(const ActionId& id) {
  auto body = Ask("GET", "/v1/actions/" + id.Text() + "/audience");
  if (!body) return std::move(body).error();
  json::ObjectReader in(*body, "audience", json::ObjectReader::Unknown::kIgnore);
  Bytes ids = in.Base64("ids");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  return ids;
}

Expected<ApiClient::Posted> ApiClient::PostAction(const Envelope& envelope, BytesView audience) {
  const json::object with_audience{{"action", EnvelopeToJson(envelope)},
                                   {"audience", EncodeBase64(audience)}};
  auto body = Ask("POST", "/v1/actions",
                  audience.empty() ? EncodeEnvelope(envelope) : json::Write(with_audience));
  if (!body) return std::move(body).error();
  json::ObjectReader in(*body, "action", json::ObjectReader::Unknown::kIgnore);
  Posted posted;
  auto status = ParseActionStatus(in.String("status"));
  posted.weight_reached = in.OptionalBool("weight_reached", true);
  posted.people = in.OptionalStrings("people");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (!status) return std::move(status).error();
  posted.status = *status;
  return posted;
}

Expected<ActionInfo> ApiClient::GetAction(const ActionId& id) {
  auto body = Ask("GET", "/v1/actions/" + id.Text());
  if (!body) return std::move(body).error();
  auto info = ReadActionInfo(*body);
  if (!info) return info;
  if (auto read = ReadEnvelope(*body, *info); !read) return std::move(read).error();
  if (info->id != id || (info->action && info->action->id != id)) {
    return Error(Errc::kMalformed, "the server shows another action than was asked for");
  }
  return info;
}

Expected<std::vector<ActionInfo>> ApiClient::ListActions(std::size_t limit) {
  auto body = Ask("GET", "/v1/actions?limit=" + std::to_string(limit));
  if (!body) return std::move(body).error();
  auto list = ObjectsIn(*body, "actions");
  if (!list) return std::move(list).error();
  std::vector<ActionInfo> actions;
  for (const json::object* fields : *list) {
    auto info = ReadActionInfo(*fields);
    if (!info) return std::move(info).error();
    actions.push_back(std::move(*info));
  }
  return actions;
}

Expected<ApiClient::Pending> ApiClient::ListPending() {
  auto list = AskForAll("actions", [&](const std::string& after) {
    return Ask("GET", "/v1/pending" + (after.empty() ? "" : "?after=" + EncodePercent(after)));
  });
  if (!list) return std::move(list).error();
  Pending pending;
  for (const json::object& fields : *list) {
    auto info = ReadActionInfo(fields);
    if (info && ReadEnvelope(fields, *info) && info->action) {
      pending.actions.push_back(std::move(*info));
    } else {
      ++pending.unreadable;  // one that nobody can approve must not hide the others
    }
  }
  return pending;
}

Expected<std::vector<Proposal>> ApiClient::ListProposals() {
  auto list = AskForAll("proposals", [&](const std::string& after) {
    return Ask("GET", "/v1/proposals" + (after.empty() ? "" : "?after=" + EncodePercent(after)));
  });
  if (!list) return std::move(list).error();
  std::vector<Proposal> proposals;
  for (const json::object& fields : *list) {
    auto proposal = ReadProposal(fields);
    if (!proposal) return std::move(proposal).error();
    proposals.push_back(std::move(*proposal));
  }
  return proposals;
}

Expected<void> ApiClient::Reject(const ActionId& id, const std::string& reason) {
  auto body = Ask("POST", "/v1/actions/" + id.Text() + "/reject",
                  json::Write(json::object{{"reason", reason}}));
  if (!body) return std::move(body).error();
  return {};
}

Expected<std::vector<json::object>> ApiClient::ListCommands(const ActionId& id) {
  return AskForAll("commands", [&](const std::string& after) {
    return Ask("GET", "/v1/actions/" + id.Text() + "/commands" +
                          (after.empty() ? "" : "?after=" + EncodePercent(after)));
  });
}

Expected<std::vector<json::object>> ApiClient::ListAgents(const std::string& target) {
  return AskForAll("agents", [&](const std::string& after) {
    return Ask("GET", "/v1/agents?target=" + EncodePercent(target.empty() ? "all" : target) +
                          (after.empty() ? "" : "&after=" + EncodePercent(after)));
  });
}

Expected<std::map<std::uint64_t, std::uint64_t>> ApiClient::CountHeldPolicies() {
  auto rows =
      AskForAll("policies", [&](const std::string&) { return Ask("GET", "/v1/agents/policies"); });
  if (!rows) return std::move(rows).error();
  std::map<std::uint64_t, std::uint64_t> held;
  for (const json::object& fields : *rows) {
    json::ObjectReader in(fields, "policies", json::ObjectReader::Unknown::kIgnore);
    const std::uint64_t version = in.Uint64("version");
    held[version] += in.Uint64("agents");
    if (auto done = in.Finish(); !done) return std::move(done).error();
  }
  return held;
}

Expected<std::vector<ApiClient::NotTaken>> ApiClient::ListNotTaken() {
  auto rows =
      AskForAll("not_taken", [&](const std::string&) { return Ask("GET", "/v1/not-taken"); });
  if (!rows) return std::move(rows).error();
  std::vector<NotTaken> list;
  for (const json::object& fields : *rows) {
    json::ObjectReader in(fields, "not_taken", json::ObjectReader::Unknown::kIgnore);
    NotTaken entry;
    entry.reason = in.String("reason");
    entry.count = in.Uint64("count");
    entry.agent = in.OptionalString("agent");
    entry.last = in.Time("last");
    if (auto done = in.Finish(); !done) return std::move(done).error();
    list.push_back(std::move(entry));
  }
  return list;
}

Expected<std::vector<json::object>> ApiClient::ListTokens() {
  return AskForAll("tokens", [&](const std::string&) { return Ask("GET", "/v1/tokens"); });
}

Expected<json::object> ApiClient::PostToken(const Envelope& grant, const std::string& note) {
  return Ask("POST", "/v1/tokens",
             json::Write(json::object{{"grant", EnvelopeToJson(grant)}, {"note", note}}));
}

Expected<json::object> ApiClient::SignToken(const std::string& id, const Envelope& grant) {
  return Ask("POST", "/v1/tokens/" + id + "/sign",
             json::Write(json::object{{"grant", EnvelopeToJson(grant)}}));
}

Expected<json::object> ApiClient::RevokeToken(const std::string& id) {
  return Ask("POST", "/v1/tokens/" + id + "/revoke", "{}");
}

Expected<void> ApiClient::ReleaseAgent(const AgentId& agent, const std::string& reason) {
  auto body = Ask("POST", "/v1/agents/" + agent.Text() + "/release",
                  json::Write(json::object{{"reason", reason}}));
  if (!body) return std::move(body).error();
  return {};
}

Expected<bool> ApiClient::PutAttachment(BytesView sha256, BytesView content) {
  const std::string target = "/v1/attachments/" + EncodeHex(sha256);
  bool sent = false;
  std::size_t from = 0;
  // Each answer says how much is there; one that does not grow for long is a server that lies.
  for (int idle = 0; idle < kMostIdlePieces;) {
    HttpCall call;
    call.method = "PUT";
    call.target = target;
    call.body = Bytes(content.substr(from, kPieceBytes));
    call.headers.Add("Content-Type", "application/octet-stream");
    call.headers.Add("Accept", "application/json");
    call.headers.Add("Content-Range", "bytes " + std::to_string(from) + "-" +
                                          std::to_string(from + call.body.size() - 1) + "/" +
                                          std::to_string(content.size()));
    auto reply = Exchange(std::move(call), true);
    if (!reply) return std::move(reply).error();
    auto body = ReadBody(*reply);
    if (!body) return std::move(body).error();
    json::ObjectReader in(*body, "the server's answer", json::ObjectReader::Unknown::kIgnore);
    const std::uint64_t received = in.Uint64("received");
    const bool complete = in.OptionalBool("complete", false);
    if (auto done = in.Finish(); !done) return std::move(done).error();
    if (complete) return sent || reply->status == 201;
    if (received >= content.size()) break;
    idle = received > from ? 0 : idle + 1;
    from = static_cast<std::size_t>(received);
    sent = true;
  }
  return Error(Errc::kMalformed, "the server takes the attachment and does not keep it");
}

Expected<void> ApiClient::Follow(const ActionId& id, const OnEvent& on_event) {
  std::string last_id;
  milliseconds pause = kFirstPause;
  auto give_up = Clock::now() + patience_;
  bool reopened = false;
  for (;;) {
    if (interrupted_) return Error(Errc::kUnavailable, "interrupted");
    HttpCall call;
    call.target = "/v1/actions/" + id.Text() + "/events";
    call.headers.Add("Accept", "text/event-stream");
    if (!last_id.empty()) call.headers.Add("Last-Event-ID", last_id);
    if (auto signed_call = Sign(call); !signed_call) return signed_call;

    bool done = false;
    std::optional<Error> wrong;
    const auto began = Clock::now();
    auto reply = http_->Stream(std::move(call), [&](const SseEvent& sse) {
      give_up = Clock::now() + patience_;
      reopened = false;
      auto event = ReadActionEvent(sse.event, sse.data);
      if (!event) {
        wrong = std::move(event).error();
        return false;
      }
      last_id = sse.id;
      if (!*event) return true;
      done = !on_event(**event) || std::holds_alternative<EndEvent>(**event);
      return !done;
    });
    if (done) return {};
    if (wrong) return std::move(*wrong).During("the server's events");
    std::optional<Error> away;
    if (!reply) {
      if (!IsAway(reply.error())) return std::move(reply).error();
      away = std::move(reply).error();
    } else if (reply->status != 200) {
      ServerError refused = ReadServerError(*reply);
      const bool lost = reply->status == 401 || refused.code == "denied";
      if (lost && !reopened) {
        reopened = true;
        if (auto opened = OpenSession(*signer_); !opened) return opened;
        continue;
      }
      if (!IsAway(refused.error)) return std::move(refused.error);
      away = std::move(refused.error);
    } else {
      away = Error(Errc::kUnavailable, "the server ended the stream of events");
    }
    if (interrupted_) return Error(Errc::kUnavailable, "interrupted");
    if (Clock::now() + pause > give_up) return std::move(*away);
    // A server that ends each stream at once, with or without events, is not asked in a loop.
    if (Clock::now() - began > kSteadyStream) pause = kFirstPause;
    if (!Pause(pause)) return Error(Errc::kUnavailable, "interrupted");
    pause = std::min(pause * 2, kLongestPause);
  }
}

Expected<void> ApiClient::ReadSoFar(const ActionId& id, const OnEvent& on_event) {
  // Status first, so that what is shown as final has all its parts behind it.
  auto info = GetAction(id);
  if (!info) return std::move(info).error();
  if (!on_event(info->progress)) return {};
  std::string after = "0";
  for (;;) {
    auto body = Ask("GET", "/v1/actions/" + id.Text() + "/results?after=" + after +
                               "&limit=" + std::to_string(kPageParts));
    if (!body) return std::move(body).error();
    auto list = ObjectsIn(*body, "parts");
    if (!list) return std::move(list).error();
    for (const json::object* fields : *list) {
      auto part = ReadPart(*fields);
      if (!part) return std::move(part).error();
      if (!on_event(std::move(*part))) return {};
      json::ObjectReader in(*fields, "part", json::ObjectReader::Unknown::kIgnore);
      after = std::to_string(in.Uint64("row"));
      if (auto done = in.Finish(); !done) return done;
    }
    if (list->empty()) break;
  }
  auto commands = ListCommands(id);
  if (!commands) return std::move(commands).error();
  for (const json::object& fields : *commands) {
    auto command = ReadCommand(fields);
    if (!command) return std::move(command).error();
    if (!on_event(std::move(*command))) return {};
  }
  on_event(EndEvent{std::move(info->progress)});
  return {};
}

}  // namespace mig::cli
