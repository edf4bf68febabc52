// The API's calls about single agents.
#include "roles/api/service.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::size_t kMaxReasonBytes = 1024;
// More than any deployment has in use at one time.
constexpr std::size_t kMostVersions = 1000;

}  // namespace

void ApiService::GetHeldPolicies(HttpRequest, Exchange exchange) {
  AnswerFromStore(exchange, [](store::ServerReader& reader) -> Expected<Answer> {
    auto rows = reader.CountHeldPolicies(kMostVersions);
    if (!rows) return std::move(rows).error();
    json::array policies;
    for (const store::HeldPolicyRow& row : *rows) {
      policies.push_back(json::object{{"version", json::FromUint(row.version)},
                                      {"agents", json::FromUint(row.agents)}});
    }
    return JsonAnswer(200, json::object{{"policies", std::move(policies)}});
  });
}

void ApiService::GetNotTaken(HttpRequest, Exchange exchange) {
  AnswerFromStore(exchange, [](store::ServerReader& reader) -> Expected<Answer> {
    auto rows = reader.ListNotTaken();
    if (!rows) return std::move(rows).error();
    json::array reasons;
    for (const store::NotTakenRow& row : *rows) {
      const bool known = !row.agent.empty();
      reasons.push_back(json::object{{"reason", row.flaw},
                                     {"count", json::FromUint(row.count)},
                                     {"agent", known ? json::value(row.agent) : nullptr},
                                     {"first", FormatRfc3339(row.first)},
                                     {"last", FormatRfc3339(row.last)}});
    }
    return JsonAnswer(200, json::object{{"not_taken", std::move(reasons)}});
  });
}

void ApiService::PostRelease(HttpRequest request, Exchange exchange, std::string person) {
  auto agent = AgentId::Parse(request.parameters.at(0));
  if (!agent) return Reply(exchange, ErrorAnswer(agent.error()));
  auto fields = json::ParseObject(request.body);
  if (!fields) return Reply(exchange, ErrorAnswer(fields.error()));
  json::ObjectReader in(*fields, "");
  const std::string reason = in.OptionalString("reason");
  if (reason.size() > kMaxReasonBytes) in.Fail("reason", "has more than 1024 bytes");
  if (auto ok = in.Finish(); !ok) return Reply(exchange, ErrorAnswer(ok.error()));
  WriteToStore(
      [agent = *agent, person, reason,
       silence = config_.limits.copy_silence](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = Now();
        if (auto released = tx.ReleaseAgent(agent, now - silence, now); !released) return released;
        return tx.Audit(person, "agent.released", agent.Text(),
                        json::Write(json::object{{"reason", reason}}), now);
      },
      [this, exchange, agent = *agent, person](Expected<void> released) {
        if (!released) return Reply(exchange, ErrorAnswer(released.error()));
        log::Info("agent released", {{"agent", agent.Text()}, {"person", person}});
        // What was held back for it is due now.
        lines_.WakeScheduler(ActionId());
        Reply(exchange, JsonAnswer(200, json::object{{"id", agent.Text()}, {"held", false}}));
      });
}

}  // namespace mig::api
