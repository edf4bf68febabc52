// The table of the API's routes, and the door in front of those that only people may call.
#include <boost/asio/post.hpp>
#include <type_traits>

#include "net/http_signature.h"
#include "roles/api/service.h"
#include "roles/api/submission.h"

namespace mig::api {
namespace {

constexpr std::size_t kSmallBody = 64 * 1024;

// As for renewals: a machine without a battery-backed clock may be far off. What agents may call
// only reads, so a request that is served twice has told nobody anything new.
constexpr std::chrono::hours kMaxAgentSkew{24};

Expected<void> CheckAgentTime(UtcTime created, UtcTime now) {
  if (created >= now - kMaxAgentSkew && created <= now + kMaxAgentSkew) return {};
  return Error(Errc::kDenied, "the request was signed at " + FormatRfc3339(created) +
                                  "; this server's clock says " + FormatRfc3339(now));
}

// 401 tells a client to open a session anew; 503 to wait.
Answer NotAdmitted(const Error& error) {
  if (error.code() == Errc::kFull) return ErrorAnswer(error);
  return ErrorAnswer(401, "unauthenticated", error.message());
}

// RFC 9112 section 6.3: these two fields are how a request says that a body follows.
bool AnnouncesBody(const HttpHeaders& headers) {
  const std::string length = headers.Get("Content-Length");
  return headers.Count("Transfer-Encoding") > 0 ||
         length.find_first_not_of('0') != std::string::npos;
}

}  // namespace

template <auto kServe>
void ApiService::Call(ApiService& api, HttpRequest request, Exchange exchange, std::string person) {
  if constexpr (std::is_invocable_v<decltype(kServe), ApiService&, HttpRequest, Exchange>) {
    (api.*kServe)(std::move(request), std::move(exchange));
  } else {
    (api.*kServe)(std::move(request), std::move(exchange), std::move(person));
  }
}

// To add a route: a line here, its function in service.cpp, its section in docs/api.md.
std::span<const ApiService::Route> ApiService::Table() {
  using A = ApiService;
  static constexpr Route kRoutes[] = {
      {"GET", "/v1/health", 0, Caller::kAnyone, &Call<&A::GetHealth>},
      {"GET", "/v1/policy", 0, Caller::kAnyone, &Call<&A::GetPolicy>},
      {"POST", "/v1/policy", kMaxBundleBytes, Caller::kAnyone, &Call<&A::PostPolicy>},
      {"GET", "/v1/policies", 0, Caller::kAnyone, &Call<&A::GetPolicies>},
      {"POST", "/v1/freshness", kSmallBody, Caller::kAnyone, &Call<&A::PostFreshness>},
      {"POST", "/v1/session", kSmallBody, Caller::kAnyone, &Call<&A::PostSession>},
      {"POST", "/v1/enroll", kSmallBody, Caller::kAnyone, &Call<&A::PostEnroll>},
      {"POST", "/v1/renew", kSmallBody, Caller::kAnyone, &Call<&A::PostRenew>},
      {"POST", "/v1/targets", kSmallBody, Caller::kSession, &Call<&A::PostTargets>},
      {"POST", "/v1/actions", kMaxPostedBytes, Caller::kSession, &Call<&A::PostAction>},
      {"GET", "/v1/actions", 0, Caller::kSession, &Call<&A::GetActions>},
      {"GET", "/v1/actions/{id}", 0, Caller::kSession, &Call<&A::GetAction>},
      {"GET", "/v1/actions/{id}/events", 0, Caller::kSession, &Call<&A::GetEvents>},
      {"GET", "/v1/actions/{id}/commands", 0, Caller::kSession, &Call<&A::GetCommands>},
      {"GET", "/v1/actions/{id}/results", 0, Caller::kSession, &Call<&A::GetResults>},
      {"GET", "/v1/actions/{id}/audience", 0, Caller::kSession, &Call<&A::GetAudience>},
      {"POST", "/v1/actions/{id}/reject", kSmallBody, Caller::kSession, &Call<&A::PostReject>},
      {"GET", "/v1/pending", 0, Caller::kSession, &Call<&A::GetPending>},
      {"GET", "/v1/proposals", 0, Caller::kSession, &Call<&A::GetProposals>},
      {"PUT", "/v1/attachments/{sha256}", Attachments::kPieceBytes, Caller::kSession,
       &Call<&A::PutAttachment>},
      {"HEAD", "/v1/attachments/{sha256}", 0, Caller::kSessionOrAgent, &Call<&A::GetAttachment>},
      {"GET", "/v1/attachments/{sha256}", 0, Caller::kSessionOrAgent, &Call<&A::GetAttachment>},
      {"GET", "/v1/agents", 0, Caller::kSession, &Call<&A::GetAgents>},
      {"GET", "/v1/agents/policies", 0, Caller::kSession, &Call<&A::GetHeldPolicies>},
      {"GET", "/v1/not-taken", 0, Caller::kSession, &Call<&A::GetNotTaken>},
      {"POST", "/v1/agents/{id}/release", kSmallBody, Caller::kSession, &Call<&A::PostRelease>},
      {"GET", "/v1/tokens", 0, Caller::kSession, &Call<&A::GetTokens>},
      {"POST", "/v1/tokens", kSmallBody, Caller::kSession, &Call<&A::PostToken>},
      {"POST", "/v1/tokens/{id}/sign", kSmallBody, Caller::kSession, &Call<&A::PostTokenSign>},
      {"POST", "/v1/tokens/{id}/revoke", kSmallBody, Caller::kSession, &Call<&A::PostTokenRevoke>},
  };
  return kRoutes;
}

std::vector<HttpRoute> ApiService::Routes() {
  std::vector<HttpRoute> routes;
  for (const Route& route : Table()) {
    HttpRoute http;
    http.method = route.method;
    http.pattern = route.pattern;
    http.max_body_bytes = route.max_body_bytes;
    if (route.caller == Caller::kAnyone) {
      http.handle = [this, &route](HttpRequest request, Exchange exchange) {
        route.serve(*this, std::move(request), std::move(exchange), {});
      };
    } else {
      http.admit = [this, &route](HttpRequest head, HttpRoute::Answer answer) {
        Admit(route, std::move(head), std::move(answer));
      };
      http.handle = [this, &route](HttpRequest request, Exchange exchange) {
        ServeSigned(route, std::move(request), std::move(exchange));
      };
    }
    routes.push_back(std::move(http));
  }
  return routes;
}

void ApiService::Admit(const Route& route, HttpRequest head, HttpRoute::Answer answer) {
  boost::asio::post(readers_, [this, &route, head = std::move(head),
                               answer = std::move(answer)]() mutable {
    Expected<std::optional<store::SessionRow>> session = std::optional<store::SessionRow>();
    std::optional<AgentId> agent;
    const auto key_of_agent = [&](std::string_view keyid) -> std::optional<PublicKey> {
      const auto id = AgentId::Parse(keyid);
      if (!id || route.caller != Caller::kSessionOrAgent) return std::nullopt;
      auto known = db_->Read([&](store::ServerReader& reader) { return reader.FindAgentKey(*id); });
      if (!known || !*known) return std::nullopt;
      auto key = PublicKey::FromBytes(**known);
      if (!key) return std::nullopt;
      agent = *id;
      return *key;
    };
    const auto key_of = [&](std::string_view keyid) -> std::optional<PublicKey> {
      const auto id = KeyId::Parse(keyid);
      if (!id) return std::nullopt;
      session = db_->Read([&](store::ServerReader& reader) { return reader.FindSession(*id); });
      if (!session) return std::nullopt;
      if (!*session) return key_of_agent(keyid);
      auto key = PublicKey::FromBytes((*session)->key);
      if (!key) return std::nullopt;
      return *key;
    };
    auto signed_by =
        VerifySignedHead(head.method, "https://" + head.headers.Get("Host") + head.target,
                         head.headers, AnnouncesBody(head.headers), key_of);
    boost::asio::post(io_, [this, answer = std::move(answer), session = std::move(session), agent,
                            signed_by = std::move(signed_by)]() mutable {
      const auto refuse = [&answer](Answer reply) { answer({AsReply(std::move(reply)), {}}); };
      if (!session) return refuse(ErrorAnswer(session.error()));
      if (!signed_by) return refuse(NotAdmitted(signed_by.error()));
      if (agent) {
        if (auto fresh = CheckAgentTime(signed_by->created, Now()); !fresh) {
          return refuse(NotAdmitted(fresh.error()));
        }
        return answer({std::nullopt, "agent:" + agent->Text()});
      }
      auto person =
          gate_.Admit(**session, signed_by->nonce, signed_by->created, documents_->trusted, Now());
      if (!person) return refuse(NotAdmitted(person.error()));
      answer({std::nullopt, std::move(*person)});
    });
  });
}

void ApiService::ServeSigned(const Route& route, HttpRequest request, Exchange exchange) {
  // The digest of megabytes is not for the thread that everybody waits for.
  boost::asio::post(readers_, [this, &route, request = std::move(request),
                               exchange = std::move(exchange)]() mutable {
    auto same = CheckSignedBody(request.headers, request.body);
    boost::asio::post(io_, [this, &route, request = std::move(request),
                            exchange = std::move(exchange), same = std::move(same)]() mutable {
      if (!same) return Reply(exchange, NotAdmitted(same.error()));
      std::string caller = request.caller;
      route.serve(*this, std::move(request), std::move(exchange), std::move(caller));
    });
  });
}

}  // namespace mig::api
