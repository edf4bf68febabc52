#include "store/published_documents.h"

#include "trust/freshness.h"
#include "util/log.h"

namespace mig::store {
namespace {

// Nothing when nothing was published.
Expected<std::optional<PolicyDocuments>> ReadPublished(const OrgId& org, ServerReader& reader) {
  auto row = reader.FindPublishedPolicy();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<PolicyDocuments>();
  auto stored_roots = reader.ListPublishedRoots();
  if (!stored_roots) return std::move(stored_roots).error();
  std::vector<Envelope> roots;
  for (const Bytes& text : *stored_roots) {
    auto root = DecodeEnvelope(text);
    if (!root) return std::move(root).error().During("published root");
    roots.push_back(std::move(*root));
  }
  auto policy = DecodeEnvelope((*row)->envelope);
  if (!policy) return std::move(policy).error().During("published policy");
  auto trusted = VerifyPolicyChain(org, roots, *policy);
  if (!trusted) return std::move(trusted).error().During("published policy");
  return std::optional<PolicyDocuments>(
      PolicyDocuments{org, std::move(roots), std::move(*policy), std::move(*trusted), {}});
}

// The newer of what the documents bring and what is stored.
Expected<void> AddFreshness(PolicyDocuments& documents, ServerReader& reader) {
  auto text = reader.FindFreshness(documents.trusted.policy().version);
  if (!text) return std::move(text).error();
  if (!*text) return {};
  auto stored = DecodeEnvelope(**text);
  if (!stored) return std::move(stored).error();
  auto offered = VerifyFreshness(*stored, documents.trusted);
  if (!offered) return std::move(offered).error();
  if (documents.freshness) {
    auto held = VerifyFreshness(*documents.freshness, documents.trusted);
    if (held && held->time >= offered->time) return {};
  }
  documents.freshness = std::move(*stored);
  return {};
}

bool IsOfTheFile(const Error& error) {
  return error.code() == Errc::kIo || error.code() == Errc::kUnavailable ||
         error.code() == Errc::kFull;
}

}  // namespace

Expected<PolicyDocuments> NewestDocuments(PolicyDocuments files, ServerReader& reader) {
  PolicyDocuments chosen = std::move(files);
  auto published = ReadPublished(chosen.org, reader);
  if (!published && IsOfTheFile(published.error())) return std::move(published).error();
  if (!published) {
    log::Error("what was published is not taken", {{"reason", published.error().message()}});
  } else if (*published) {
    auto step = CompareForUpdate(chosen.trusted, (*published)->trusted);
    if (step && *step == PolicyStep::kNewer) {
      chosen = std::move(**published);
    } else if (!step && !CompareForUpdate((*published)->trusted, chosen.trusted)) {
      // Neither follows the other: one of them was signed where it should not have been.
      log::Error("what was published contradicts the files, which stay in force",
                 {{"reason", step.error().message()}});
    }
  }
  if (auto added = AddFreshness(chosen, reader); !added) {
    if (IsOfTheFile(added.error())) return std::move(added).error();
    log::Error("the stored freshness statement is not taken",
               {{"reason", added.error().message()}});
  }
  return chosen;
}

}  // namespace mig::store
