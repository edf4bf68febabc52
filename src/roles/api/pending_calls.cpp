// The API's calls about what waits for people: actions that lack signatures, and proposals of the
// server. Approving is posting the action again with one's signature (service.cpp, PostAction).
#include "proto/target.h"
#include "roles/api/service.h"
#include "roles/api/views.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::size_t kMaxReasonBytes = 1024;
constexpr std::size_t kPendingRows = 100;
constexpr std::size_t kPendingBytes = std::size_t{4} << 20;  // of envelopes in one answer

// How many agents the target matches now; 0 where another version stored it.
Expected<std::uint64_t> CountMachines(store::ServerReader& reader, const std::string& text,
                                      UtcTime now) {
  auto target = Target::Parse(text);
  if (!target) return 0;
  auto count = reader.CountAgents(target->ToSql(now));
  if (!count) return std::move(count).error();
  return count->total;
}

Expected<std::int64_t> AfterOf(const HttpRequest& request) {
  const std::string text = request.parsed.Get("after");
  if (text.empty()) return 0;
  auto after = json::ToUint(json::value(text));
  if (after && *after <= INT64_MAX) return static_cast<std::int64_t>(*after);
  return Error(Errc::kInvalid, "after: expected the `next` of the page before");
}

}  // namespace

void ApiService::GetPending(HttpRequest request, Exchange exchange) {
  auto after = AfterOf(request);
  if (!after) return Reply(exchange, ErrorAnswer(after.error()));
  AnswerFromStore(exchange, [after = *after](store::ServerReader& reader) -> Expected<Answer> {
    const UtcTime now = Now();
    auto rows = reader.ListPendingActions(after, kPendingRows);
    if (!rows) return std::move(rows).error();
    json::array actions;
    std::int64_t last = 0;
    std::size_t bytes = 0;
    for (const store::ActionRow& row : *rows) {
      if (bytes > kPendingBytes) break;
      last = row.row;
      if (row.expireafter <= now) continue;  // the scheduler ends it presently
      auto envelope = reader.FindActionEnvelope(row.id);
      if (!envelope) return std::move(envelope).error();
      auto signatures = reader.ListSignatures(row.id);
      if (!signatures) return std::move(signatures).error();
      auto machines = CountMachines(reader, row.target, now);
      if (!machines) return std::move(machines).error();
      bytes += envelope->value_or(Bytes()).size();
      actions.push_back(ViewPending(row, *signatures, envelope->value_or("null"), *machines));
    }
    json::object answer{{"actions", std::move(actions)}};
    if (rows->size() == kPendingRows || (!rows->empty() && last != rows->back().row)) {
      answer["next"] = last;
    }
    return JsonAnswer(200, answer);
  });
}

void ApiService::GetProposals(HttpRequest request, Exchange exchange) {
  auto after = AfterOf(request);
  if (!after) return Reply(exchange, ErrorAnswer(after.error()));
  AnswerFromStore(exchange, [after = *after](store::ServerReader& reader) -> Expected<Answer> {
    auto rows = reader.ListProposals(after, kPendingRows, Now());
    if (!rows) return std::move(rows).error();
    json::array proposals;
    for (const store::ProposalRow& row : *rows) proposals.push_back(ViewProposal(row));
    json::object answer{{"proposals", std::move(proposals)}};
    if (rows->size() == kPendingRows) answer["next"] = rows->back().row;
    return JsonAnswer(200, answer);
  });
}

void ApiService::GetAudience(HttpRequest request, Exchange exchange) {
  auto id = ActionId::Parse(request.parameters.at(0));
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  AnswerFromStore(exchange, [id = *id](store::ServerReader& reader) -> Expected<Answer> {
    auto action = reader.FindAction(id);
    if (!action) return std::move(action).error();
    if (!*action) return Error(Errc::kNotFound, "there is no such action");
    auto ids = reader.FindAudience(id);
    if (!ids) return std::move(ids).error();
    return JsonAnswer(
        200, json::object{{"id", id.Text()}, {"ids", EncodeBase64(ids->value_or(Bytes()))}});
  });
}

void ApiService::PostReject(HttpRequest request, Exchange exchange, std::string person) {
  auto id = ActionId::Parse(request.parameters.at(0));
  if (!id) return Reply(exchange, ErrorAnswer(id.error()));
  auto fields = json::ParseObject(request.body);
  if (!fields) return Reply(exchange, ErrorAnswer(fields.error()));
  json::ObjectReader in(*fields, "");
  const std::string reason = in.String("reason");
  if (reason.empty()) in.Fail("reason", "is empty");
  if (reason.size() > kMaxReasonBytes) in.Fail("reason", "has more than 1024 bytes");
  if (auto ok = in.Finish(); !ok) return Reply(exchange, ErrorAnswer(ok.error()));
  auto was_proposal = std::make_shared<bool>(false);
  WriteToStore(
      [id = *id, person, reason, was_proposal](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = Now();
        auto action = tx.FindAction(id);
        if (!action) return std::move(action).error();
        if (!*action) {
          *was_proposal = true;
          auto rejected = tx.RejectProposal(id, person, reason, now);
          if (!rejected) {
            if (rejected.error().code() != Errc::kNotFound) return std::move(rejected).error();
            return Error(Errc::kNotFound, "there is no such action or proposal");
          }
          if (*rejected) return {};
          return Error(Errc::kExists, "the proposal was rejected already");
        }
        auto rejected = tx.RejectAction(id, person, reason, now);
        if (!rejected) return std::move(rejected).error();
        if (*rejected) return {};
        // The same again, because our first answer was lost.
        auto before = tx.FindRejection(id);
        if (!before) return std::move(before).error();
        if (*before && (*before)->person == person && (*before)->reason == reason) return {};
        const std::string detail = (*action)->detail.empty() ? "" : " (" + (*action)->detail + ")";
        return Error(Errc::kExists, "the action does not wait for signatures: it is " +
                                        std::string(ActionStatusName((*action)->status)) + detail);
      },
      [this, exchange, id = *id, person, was_proposal](Expected<void> stored) {
        if (!stored) return Reply(exchange, ErrorAnswer(stored.error()));
        log::Info(*was_proposal ? "proposal rejected" : "action rejected",
                  {{"action", id.Text()}, {"person", person}});
        if (!*was_proposal) lines_.WakeScheduler(id);  // who follows it is told
        streams_.ActionChanged(id);
        Reply(exchange,
              JsonAnswer(200, json::object{{"id", id.Text()},
                                           {"status", *was_proposal ? "rejected" : "refused"}}));
      });
}

}  // namespace mig::api
