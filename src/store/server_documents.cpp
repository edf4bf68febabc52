// Published roots, policies and freshness statements in the server's database: kept as they were
// signed. Nothing is believed because it stands here; readers verify.
#include "store/server_statements.h"
#include "store/server_tx.h"

namespace mig::store {
namespace {

PublishedPolicyRow ReadPolicy(Columns& in) {
  PublishedPolicyRow row;
  row.version = in.Unsigned<std::uint64_t>();
  row.root_version = in.Unsigned<std::uint64_t>();
  row.stored = in.Time();
  row.envelope = in.BlobValue();
  return row;
}

}  // namespace

Expected<std::optional<PublishedPolicyRow>> ServerReader::FindPublishedPolicy() {
  return statements().One(
      "SELECT version, root_version, stored, envelope FROM policies"
      " ORDER BY root_version DESC, version DESC LIMIT 1",
      ReadPolicy);
}

Expected<std::vector<PublishedPolicyRow>> ServerReader::ListPublishedPolicies(std::size_t limit) {
  return statements().All(
      "SELECT version, root_version, stored, envelope FROM policies"
      " ORDER BY root_version DESC, version DESC LIMIT ?",
      ReadPolicy, limit);
}

Expected<std::vector<Bytes>> ServerReader::ListPublishedRoots() {
  return statements().All("SELECT envelope FROM roots ORDER BY version",
                          [](Columns& in) { return in.BlobValue(); });
}

Expected<std::optional<Bytes>> ServerReader::FindFreshness(std::uint64_t policy_version) {
  return statements().One(
      "SELECT envelope FROM freshness WHERE policy = ?", [](Columns& in) { return in.BlobValue(); },
      policy_version);
}

Expected<bool> ServerTx::AddPublishedPolicy(const PublishedPolicyRow& policy,
                                            std::span<const Bytes> roots) {
  for (std::size_t i = 0; i < roots.size(); ++i) {
    auto done =
        statements().Run("INSERT OR IGNORE INTO roots(version, envelope, stored) VALUES (?, ?, ?)",
                         static_cast<std::uint64_t>(i + 1), Blob{roots[i]}, Millis(policy.stored));
    if (!done) return std::move(done).error();
  }
  auto added = statements().Run(
      "INSERT OR IGNORE INTO policies(version, root_version, envelope, stored)"
      " VALUES (?, ?, ?, ?)",
      policy.version, policy.root_version, Blob{policy.envelope}, Millis(policy.stored));
  if (!added) return std::move(added).error();
  return *added == 1;
}

Expected<bool> ServerTx::KeepFreshness(std::uint64_t policy_version, UtcTime time,
                                       BytesView envelope, UtcTime now) {
  auto kept = statements().Run(
      "INSERT INTO freshness(policy, time, envelope, stored) VALUES (?1, ?2, ?3, ?4)"
      " ON CONFLICT(policy) DO UPDATE SET time = ?2, envelope = ?3, stored = ?4 WHERE time < ?2",
      policy_version, Millis(time), Blob{envelope}, Millis(now));
  if (!kept) return std::move(kept).error();
  return *kept == 1;
}

}  // namespace mig::store
