// The API as the verbs use it: one session, signed requests (RFC 9421) that ride out a restart of
// the server, and event streams that go on where they broke. What comes back is read, not believed:
// policies verify themselves (trust/policy_chain.h), result parts through cli/result_check.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/action_events.h"
#include "cli/client_config.h"
#include "cli/result_check.h"
#include "crypto/ed25519.h"
#include "crypto/envelope.h"
#include "crypto/signer.h"
#include "proto/action.h"
#include "trust/policy_chain.h"
#include "trust/policy_documents.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {
class HttpClient;
struct HttpCall;
struct HttpReply;
}  // namespace mig

namespace mig::cli {

// An action as the API lists it.
struct ActionInfo {
  ActionId id;
  ProgressEvent progress;
  json::object fields;  // all of it, for -json
  // Only from GetAction and ListPending: what the server says was signed, and what stands in it.
  std::optional<Envelope> envelope;
  std::optional<Action> action;
};

// What the server would like done. Nothing in it is signed; who agrees makes an action of it.
struct Proposal {
  ActionId id;  // of the action that it may become
  std::string proposer, name, target, reason;
  Kind kind = Kind::kAdmin;
  std::vector<Operation> operations;
  UtcTime created, expires;
  json::object fields;  // all of it, for -json
};

class ApiClient {
 public:
  // How long a request is tried again while the server is away.
  static constexpr std::chrono::milliseconds kPatience{15'000};

  // `waiting` is called once when the server does not answer at first; may be empty.
  ApiClient(const ClientConfig& config, std::function<void(const Error&)> waiting,
            std::chrono::milliseconds patience = kPatience);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  // Errors of everything below: kUnavailable, kTimeout: not reachable; kDenied: refused, with the
  // server's reason; kNotFound, kInvalid, kExists as the server says; kMalformed: no sense.

  // The documents of the deployment, verified from the configured org.
  Expected<PolicyDocuments> GetDocuments();
  Expected<TrustedPolicy> GetPolicy();
  // Every policy that was published here, newest first, and the roots, as the server has them:
  // {roots, current, policies: [{policy, root, published}, …]}.
  Expected<json::object> ListPolicies();
  // Documents that verify themselves: no session is needed. The server's answer: {status, …}.
  Expected<json::object> PostPolicy(const json::object& bundle);
  Expected<json::object> PostFreshness(const Envelope& statement);

  // Opens a session: one signature by the investigator. The other requests need it. `signer`
  // must live as long as this client: a session that lapses or is forgotten is opened anew.
  Expected<void> OpenSession(Signer& signer);

  Expected<std::vector<ShownAgent>> GetTargets(const std::string& target);

  struct Posted {
    ActionStatus status = ActionStatus::kPending;
    bool weight_reached = false;
    std::vector<std::string> people;
  };
  // `audience`: the ids of its signed audience (cli/shown_audience.h); empty where the action has
  // none, or the server has them from whoever signed first.
  Expected<Posted> PostAction(const Envelope& envelope, BytesView audience = {});
  // The ids of an action's audience as the server has them; cli/shown_audience.h checks them.
  Expected<Bytes> GetAudience(const ActionId& id);

  Expected<ActionInfo> GetAction(const ActionId& id);
  Expected<std::vector<ActionInfo>> ListActions(std::size_t limit);
  // Those that wait for signatures, each with its envelope and, in `fields`, how many machines its
  // target matches now ("machines"). What makes no sense is left out of the list, and counted.
  struct Pending {
    std::vector<ActionInfo> actions;
    std::size_t unreadable = 0;
  };
  Expected<Pending> ListPending();
  Expected<std::vector<Proposal>> ListProposals();
  // An action that waits, or a proposal. Error: kExists: it does not wait any more.
  Expected<void> Reject(const ActionId& id, const std::string& reason);
  Expected<std::vector<json::object>> ListCommands(const ActionId& id);
  Expected<std::vector<json::object>> ListAgents(const std::string& target);  // empty: all
  // How many agents hold which version of the policy, as the server last heard.
  Expected<std::map<std::uint64_t, std::uint64_t>> CountHeldPolicies();
  // What the scheduler did not take of what came as if from agents, by reason.
  struct NotTaken {
    std::string reason;
    std::uint64_t count = 0;
    std::string agent;  // whose topic the last one came on; empty: of no agent
    UtcTime last;
  };
  Expected<std::vector<NotTaken>> ListNotTaken();
  // Enrolment tokens, as the API shows them.
  Expected<std::vector<json::object>> ListTokens();
  Expected<json::object> PostToken(const Envelope& grant, const std::string& note);
  Expected<json::object> SignToken(const std::string& id, const Envelope& grant);
  Expected<json::object> RevokeToken(const std::string& id);
  // The person says that an agent that was held is what it should be again.
  Expected<void> ReleaseAgent(const AgentId& agent, const std::string& reason);

  // Calls `on_event` for each event of the action until the end event, or until it returns false.
  // Goes on after breaks, without repeating what was told.
  using OnEvent = std::function<bool(const ActionEvent&)>;
  Expected<void> Follow(const ActionId& id, const OnEvent& on_event);
  // As Follow, for what is there now.
  Expected<void> ReadSoFar(const ActionId& id, const OnEvent& on_event);

  // Brings the content of an attachment, from where an earlier attempt broke off. False: the server
  // had it already.
  Expected<bool> PutAttachment(BytesView sha256, BytesView content);

  // Ends the call under way, and all later ones, with kUnavailable "interrupted".
  // Async-signal-safe.
  void Interrupt();
  // Afterwards calls work again.
  void Resume();

 private:
  Expected<HttpReply> Exchange(HttpCall call, bool sign);
  Expected<json::object> Ask(std::string method, std::string target, Bytes body = {},
                             bool sign = true);
  // All pages of a list. `ask` gets the `next` of the page before, at first nothing.
  Expected<std::vector<json::object>> AskForAll(
      std::string_view list,
      const std::function<Expected<json::object>(const std::string& after)>& ask);
  Expected<void> Sign(HttpCall& call) const;
  bool Pause(std::chrono::milliseconds time) const;

  struct Session;
  std::string url_;
  OrgId org_;
  std::function<void(const Error&)> waiting_;
  std::chrono::milliseconds patience_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Session> session_;
  Signer* signer_ = nullptr;
  std::atomic<bool> interrupted_ = false;
  bool stale_interrupt_ = false;
};

}  // namespace mig::cli
