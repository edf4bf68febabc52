#include "roles/client/policy_folder.h"

#include "cli/client_config.h"
#include "cli/policy_draft.h"
#include "os/files.h"

namespace mig {
namespace {

constexpr std::size_t kMaxDraftBytes = 1 << 20;
constexpr std::size_t kMaxDocumentBytes = 4 << 20;  // people may have indented them

}  // namespace

Expected<PolicyFolder> PolicyFolder::Of(const std::string& named) {
  if (!named.empty()) return PolicyFolder(named);
  auto folder = cli::UserConfigFolder(cli::ProcessEnvironment);
  if (!folder) return std::move(folder).error();
  return PolicyFolder(*folder / "policy");
}

Expected<cli::SigningBundle> PolicyFolder::LoadDocuments() const {
  auto text = os::ReadFile(Documents(), kMaxDocumentBytes);
  if (!text && text.error().code() == Errc::kNotFound) {
    return Error(Errc::kNotFound,
                 "there are no documents in " + folder_.string() +
                     "; begin a deployment with `mig policy init`, or take those of a running one "
                     "with `mig policy pull`");
  }
  if (!text) return std::move(text).error();
  auto bundle = cli::ReadSigningBundle(*text);
  if (!bundle) return std::move(bundle).error().During(Documents().string());
  return bundle;
}

Expected<std::optional<cli::SigningBundle>> PolicyFolder::LoadPublished() const {
  auto text = os::ReadFile(Published(), kMaxDocumentBytes);
  if (!text && text.error().code() == Errc::kNotFound) return std::optional<cli::SigningBundle>();
  if (!text) return std::move(text).error();
  auto bundle = cli::ReadSigningBundle(*text);
  if (!bundle) return std::move(bundle).error().During(Published().string());
  return std::optional<cli::SigningBundle>(std::move(*bundle));
}

Expected<std::string> PolicyFolder::LoadDraft() const {
  auto text = os::ReadFile(Draft(), kMaxDraftBytes);
  if (text || text.error().code() != Errc::kNotFound) return text;
  return Error(Errc::kNotFound, "there is no draft in " + Draft().string() +
                                    "; begin with `mig policy init` or `mig policy pull`");
}

Expected<void> PolicyFolder::SaveDocuments(const cli::SigningBundle& bundle) const {
  return os::WriteFileAtomically(Documents(), cli::WriteSigningBundle(bundle), 0644);
}
Expected<void> PolicyFolder::SavePublished(const cli::SigningBundle& bundle) const {
  return os::WriteFileAtomically(Published(), cli::WriteSigningBundle(bundle), 0644);
}
Expected<void> PolicyFolder::SaveDraft(const std::string& text) const {
  return os::WriteFileAtomically(Draft(), text, 0644);
}
Expected<void> PolicyFolder::Make() const {
  std::error_code error;
  std::filesystem::create_directories(folder_.parent_path(), error);
  return os::MakePrivateDirectory(folder_);
}

Expected<Drafted> TakeDraft(const std::string& draft, const std::string& name,
                            const std::optional<cli::SigningBundle>& published, bool renew,
                            UtcTime now, cli::SigningBundle& documents) {
  std::optional<Policy> in_force, present;
  if (published && published->policy) {
    auto policy = cli::PolicyIn(*published);
    if (!policy) return std::move(policy).error().During("published");
    in_force = std::move(*policy);
  }
  if (documents.policy) {
    auto policy = cli::PolicyIn(documents);
    if (!policy) return std::move(policy).error();
    present = std::move(*policy);
  }
  const std::uint64_t next = in_force ? in_force->version + 1 : 1;
  const auto read = [&](std::uint64_t version, UtcTime issued) {
    return cli::ReadPolicyDraft(draft, name, {documents.org(), version, issued});
  };
  // The one that is being signed: with the time at which that began.
  if (present && present->version == next) {
    auto same = read(next, present->issued);
    if (!same) return std::move(same).error();
    if (EncodePolicy(*same) == EncodePolicy(*present)) return Drafted::kUnchanged;
  }
  if (in_force && !renew) {
    auto same = read(in_force->version, in_force->issued);
    if (!same) return std::move(same).error();
    if (EncodePolicy(*same) == EncodePolicy(*in_force)) {
      if (present && present->version == in_force->version) return Drafted::kUnchanged;
      documents.policy = published->policy;
      return Drafted::kPublished;
    }
  }
  auto fresh = read(next, now);
  if (!fresh) return std::move(fresh).error();
  documents.policy = cli::Unsigned(kPolicyType, EncodePolicy(*fresh));
  return Drafted::kNew;
}

Expected<Drafted> TakeDraft(const PolicyFolder& folder, bool renew, UtcTime now) {
  auto documents = folder.LoadDocuments();
  if (!documents) return std::move(documents).error();
  auto published = folder.LoadPublished();
  if (!published) return std::move(published).error();
  auto draft = folder.LoadDraft();
  if (!draft) return std::move(draft).error();
  auto taken = TakeDraft(*draft, folder.Draft().string(), *published, renew, now, *documents);
  if (!taken || *taken == Drafted::kUnchanged) return taken;
  if (auto saved = folder.SaveDocuments(*documents); !saved) return std::move(saved).error();
  return taken;
}

}  // namespace mig
