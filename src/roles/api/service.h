// What each call of the API does (service.cpp), and who may call what (routes.cpp). Sockets are
// net/http_server's, decisions are in sessions, submission and enrolment; this joins them with the
// store.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"
#include "net/http_server.h"
#include "roles/api/answer.h"
#include "roles/api/api_config.h"
#include "roles/api/attachments.h"
#include "roles/api/event_streams.h"
#include "roles/api/relay_lines.h"
#include "roles/api/sessions.h"
#include "store/server_db.h"
#include "trust/freshness.h"
#include "trust/policy_documents.h"
#include "trust/policy_watch.h"

namespace mig::api {

struct Submission;

// Only on the thread of the io_context it was made with.
class ApiService {
 public:
  // Reads documents, CA and store, and starts listening (`inherited` instead of config.listen when
  // valid). Error: whatever an administrator has to put right first.
  static Expected<std::unique_ptr<ApiService>> Start(boost::asio::io_context& io, ApiConfig config,
                                                     os::FileDescriptor inherited);
  ~ApiService();
  ApiService(const ApiService&) = delete;
  ApiService& operator=(const ApiService&) = delete;

  std::uint16_t port() const { return server_->port(); }
  // Certificate and policy documents anew from their files; on an error the old ones stay.
  Expected<void> Reload();
  // Ends streams and lines in order; `done` is called within seconds.
  void Stop(std::function<void()> done);

  using Exchange = std::shared_ptr<HttpExchange>;
  // A line of the API, and of docs/api.md. `person` is who signed; empty where anyone may call; an
  // agent is "agent:ID", which is no person's id.
  enum class Caller { kAnyone, kSession, kSessionOrAgent };
  struct Route {
    std::string_view method;
    std::string_view pattern;
    std::size_t max_body_bytes;
    Caller caller;
    void (*serve)(ApiService& api, HttpRequest request, Exchange exchange, std::string person);
  };
  static std::span<const Route> Table();  // routes.cpp

 private:
  ApiService(boost::asio::io_context& io, ApiConfig config, PolicyDocuments documents,
             KeyPairPem agents_ca, std::unique_ptr<store::ServerDb> db);

  std::vector<HttpRoute> Routes();
  template <auto kServe>
  static void Call(ApiService& api, HttpRequest request, Exchange exchange, std::string person);
  // Lets the request in when an open session has signed its head.
  void Admit(const Route& route, HttpRequest head, HttpRoute::Answer answer);
  // Serves what was let in, when its body is the signed one.
  void ServeSigned(const Route& route, HttpRequest request, Exchange exchange);

  void GetHealth(HttpRequest request, Exchange exchange);
  void GetPolicy(HttpRequest request, Exchange exchange);
  void GetPolicies(HttpRequest request, Exchange exchange);
  void PostPolicy(HttpRequest request, Exchange exchange);
  void PostFreshness(HttpRequest request, Exchange exchange);
  void PostSession(HttpRequest request, Exchange exchange);
  void PostEnroll(HttpRequest request, Exchange exchange);
  void PostRenew(HttpRequest request, Exchange exchange);
  void Certify(HttpRequest request, Exchange exchange, bool renewal);
  void PostTargets(HttpRequest request, Exchange exchange);
  void PostAction(HttpRequest request, Exchange exchange, std::string person);
  void Keep(Submission submission, Exchange exchange, std::string person);
  void GetActions(HttpRequest request, Exchange exchange);
  void GetAction(HttpRequest request, Exchange exchange);
  void GetEvents(HttpRequest request, Exchange exchange);
  void GetCommands(HttpRequest request, Exchange exchange);
  void GetResults(HttpRequest request, Exchange exchange);
  void GetAudience(HttpRequest request, Exchange exchange);
  void PostReject(HttpRequest request, Exchange exchange, std::string person);
  void GetPending(HttpRequest request, Exchange exchange);
  void GetProposals(HttpRequest request, Exchange exchange);
  void GetAgents(HttpRequest request, Exchange exchange);
  // In agent_calls.cpp.
  void GetHeldPolicies(HttpRequest request, Exchange exchange);
  void GetNotTaken(HttpRequest request, Exchange exchange);
  void PostRelease(HttpRequest request, Exchange exchange, std::string person);
  // In attachment_calls.cpp.
  void PutAttachment(HttpRequest request, Exchange exchange, std::string person);
  void GetAttachment(HttpRequest request, Exchange exchange, std::string caller);  // and HEAD
  // In token_calls.cpp.
  void PostToken(HttpRequest request, Exchange exchange, std::string person);
  void PostTokenSign(HttpRequest request, Exchange exchange, std::string person);
  void PostTokenRevoke(HttpRequest request, Exchange exchange, std::string person);
  void GetTokens(HttpRequest request, Exchange exchange);

  // Goes by what the store has now, when that is newer than what we go by (policy_calls.cpp).
  void ReadDocumentsAnew();
  // What was last said of the policy in force being the newest.
  std::optional<Freshness> Statement() const;
  // Says in the log what people must know of the policy in force, now and every hour.
  void WatchPolicy();
  // Takes over documents that verify; those in force stay when these do not follow them.
  bool Adopt(std::shared_ptr<const PolicyDocuments> documents);

  // Runs `read` on a reader thread and answers with what it returns.
  using ReadAnswer = std::function<Expected<Answer>(store::ServerReader&)>;
  void AnswerFromStore(Exchange exchange, ReadAnswer read);
  // Runs `work` in the store's next transaction, then `done` on our thread.
  void WriteToStore(store::ServerDb::Work work, std::function<void(Expected<void>)> done);
  static HttpReply AsReply(Answer answer);
  static void Reply(const Exchange& exchange, Answer answer);

  boost::asio::io_context& io_;
  ApiConfig config_;
  std::shared_ptr<const PolicyDocuments> documents_;
  KeyPairPem agents_ca_;
  std::unique_ptr<store::ServerDb> db_;
  std::unique_ptr<Attachments> attachments_;
  boost::asio::steady_timer watching_;
  PolicyWatch watch_;
  boost::asio::thread_pool readers_;
  RequestGate gate_;
  EventStreams streams_;
  RelayLines lines_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace mig::api
