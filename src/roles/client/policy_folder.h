// The folder in which an administrator works on a policy: the draft (policy.yaml), the documents
// that are being signed (documents.json, what keepers of root keys pass on), and what was last
// published (published.json, what changes are compared with).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/signing_bundle.h"
#include "proto/policy.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

class PolicyFolder {
 public:
  // `named` (may be empty): --dir; else the folder `policy` beside client.yaml.
  static Expected<PolicyFolder> Of(const std::string& named);
  explicit PolicyFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path Draft() const { return folder_ / "policy.yaml"; }
  std::filesystem::path Documents() const { return folder_ / "documents.json"; }
  std::filesystem::path Published() const { return folder_ / "published.json"; }

  // Errors: kNotFound, saying how to begin.
  Expected<cli::SigningBundle> LoadDocuments() const;
  Expected<std::optional<cli::SigningBundle>> LoadPublished() const;
  Expected<std::string> LoadDraft() const;

  Expected<void> SaveDocuments(const cli::SigningBundle& bundle) const;
  Expected<void> SavePublished(const cli::SigningBundle& bundle) const;
  Expected<void> SaveDraft(const std::string& text) const;
  Expected<void> Make() const;  // mode 0700

 private:
  std::filesystem::path folder_;
};

// Puts what `draft` means into `documents`. Nothing changes when they say it already, so that
// signatures stay; a draft that says what is published takes the published policy, unless `renew`;
// else there is a new, unsigned policy of the next version, issued `now`. Pure.
// `name` is what messages call the draft. Error: as ReadPolicyDraft.
enum class Drafted { kUnchanged, kPublished, kNew };
Expected<Drafted> TakeDraft(const std::string& draft, const std::string& name,
                            const std::optional<cli::SigningBundle>& published, bool renew,
                            UtcTime now, cli::SigningBundle& documents);

// As TakeDraft, with the files of the folder.
Expected<Drafted> TakeDraft(const PolicyFolder& folder, bool renew, UtcTime now);

}  // namespace mig
