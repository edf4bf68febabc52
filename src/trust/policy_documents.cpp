#include "trust/policy_documents.h"

#include "os/files.h"

namespace mig {
namespace {

Expected<Envelope> ReadEnvelope(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxEnvelopeBytes);
  if (!text) return std::move(text).error();
  auto envelope = DecodeEnvelope(*text);
  if (!envelope) return std::move(envelope).error().During(file.string());
  return envelope;
}

}  // namespace

PolicyFiles ReadPolicyFiles(Settings& settings, const std::filesystem::path& folder) {
  PolicyFiles files;
  Settings section = settings.Section("policy");
  for (const std::string& root : section.Strings("roots")) files.roots.push_back(folder / root);
  if (files.roots.empty()) section.Fail("roots", "name the file of root version 1");
  files.policy = folder / section.RequiredString("policy");
  return files;
}

Expected<PolicyDocuments> LoadPolicyDocuments(const PolicyFiles& files) {
  if (files.roots.empty()) {
    return Error(Errc::kInvalid, "no root document: name the file of root version 1");
  }
  std::vector<Envelope> roots;
  for (const auto& file : files.roots) {
    auto root = ReadEnvelope(file);
    if (!root) return std::move(root).error();
    roots.push_back(std::move(*root));
  }
  auto policy = ReadEnvelope(files.policy);
  if (!policy) return std::move(policy).error();
  const OrgId org = OrgOf(roots.front());
  auto trusted = VerifyPolicyChain(org, roots, *policy);
  if (!trusted) return std::move(trusted).error().During(files.policy.string());
  return PolicyDocuments{org, std::move(roots), std::move(*policy), std::move(*trusted)};
}

}  // namespace mig
