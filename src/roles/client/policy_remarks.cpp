#include "roles/client/policy_remarks.h"

#include "trust/freshness.h"
#include "trust/policy_warnings.h"

namespace mig {

void RemarkOnPolicy(const PolicyDocuments& documents, UtcTime now, cli::Terminal& terminal) {
  std::optional<Freshness> statement;
  if (documents.freshness) {
    auto verified = VerifyFreshness(*documents.freshness, documents.trusted);
    if (verified) statement = std::move(*verified);
  }
  for (const PolicyWarning& warning : WarningsAbout(documents.trusted, statement, now)) {
    terminal.Remark("Note: " + warning.text + ".",
                    warning.urgent ? cli::Style::kRed : cli::Style::kYellow);
  }
}

}  // namespace mig
