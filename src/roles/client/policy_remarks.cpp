#include "roles/client/policy_remarks.h"

#include "trust/freshness.h"
#include "trust/policy_warnings.h"

namespace mig {
namespace {

// What was said of the policy being the newest, and verifies.
std::optional<Freshness> StatementIn(const PolicyDocuments& documents) {
  if (!documents.freshness) return std::nullopt;
  auto verified = VerifyFreshness(*documents.freshness, documents.trusted);
  if (!verified) return std::nullopt;
  return *verified;
}

}  // namespace

void RemarkOnPolicy(const PolicyDocuments& documents, UtcTime now, cli::Terminal& terminal) {
  for (const PolicyWarning& warning :
       WarningsAbout(documents.trusted, StatementIn(documents), now)) {
    terminal.Remark("Note: " + warning.text + ".",
                    warning.urgent ? cli::Style::kRed : cli::Style::kYellow);
  }
}

void RemarkOnFreshness(Kind kind, const PolicyDocuments& documents, UtcTime now,
                       cli::Terminal& terminal) {
  if (kind != Kind::kRespond && kind != Kind::kAdmin) return;
  const std::string version =
      "policy version " + std::to_string(documents.trusted.policy().version);
  if (!documents.trusted.policy().freshness) {
    terminal.Remark("As things stand every agent will refuse this: " + version +
                        " names no freshness key. A keeper of root keys adds one: mig policy set "
                        "freshness '{keys: [LINE]}'",
                    cli::Style::kRed);
    return;
  }
  const auto statement = StatementIn(documents);
  if (!CheckFreshness(statement ? &*statement : nullptr, documents.trusted, now)) return;
  terminal.Remark("As things stand every agent will refuse this: nobody has stated lately that " +
                      version +
                      " is the newest. First, where that key lies: " + std::string(kFreshCommand),
                  cli::Style::kRed);
}

void RemarkOnFreshness(Kind kind, cli::ApiClient& api, cli::Terminal& terminal) {
  if (kind != Kind::kRespond && kind != Kind::kAdmin) return;
  auto documents = api.GetDocuments();
  if (!documents) {
    terminal.Remark("Note: " + documents.error().message() + ".", cli::Style::kRed);
    return;
  }
  RemarkOnFreshness(kind, *documents, Now(), terminal);
}

}  // namespace mig
