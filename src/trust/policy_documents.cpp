#include "trust/policy_documents.h"

#include "os/files.h"
#include "trust/freshness.h"
#include "util/log.h"

namespace mig {
namespace {

Expected<Envelope> ReadEnvelope(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxEnvelopeBytes);
  if (!text) return std::move(text).error();
  auto envelope = DecodeEnvelope(*text);
  if (!envelope) return std::move(envelope).error().During(file.string());
  return envelope;
}

Expected<Envelope> ReadStatement(const std::filesystem::path& file, const TrustedPolicy& policy) {
  auto envelope = ReadEnvelope(file);
  if (!envelope) return envelope;
  auto verified = VerifyFreshness(*envelope, policy);
  if (!verified) return std::move(verified).error().During(file.string());
  return envelope;
}

}  // namespace

PolicyFiles ReadPolicyFiles(Settings& settings, const std::filesystem::path& folder) {
  PolicyFiles files;
  Settings section = settings.Section("policy");
  for (const std::string& root : section.Strings("roots")) files.roots.push_back(folder / root);
  if (files.roots.empty()) section.Fail("roots", "name the file of root version 1");
  files.policy = folder / section.RequiredString("policy");
  if (section.Has("freshness")) files.freshness = folder / section.String("freshness", "");
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
  PolicyDocuments documents{org, std::move(roots), std::move(*policy), std::move(*trusted), {}};
  if (files.freshness) {
    auto freshness = ReadStatement(*files.freshness, documents.trusted);
    if (freshness) documents.freshness = std::move(*freshness);
    if (!freshness) {
      log::Warning("freshness statement not read", {{"reason", freshness.error().message()}});
    }
  }
  return documents;
}

Expected<PolicyDocuments> ReadPolicyBundle(const OrgId& org, const json::object& bundle) {
  json::ObjectReader in(bundle, "documents");
  std::vector<Envelope> roots;
  if (const json::array* items = in.Array("roots")) {
    for (const json::value& item : *items) {
      const std::string where = "roots[" + std::to_string(roots.size()) + "]";
      if (!item.is_object()) return Error(Errc::kMalformed, where + ": is not an object");
      auto root = EnvelopeFromJson(item.get_object(), where);
      if (!root) return std::move(root).error();
      roots.push_back(std::move(*root));
    }
  }
  const json::object* policy_fields = in.Object("policy");
  const json::object* freshness_fields = in.OptionalObject("freshness");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  auto policy = EnvelopeFromJson(*policy_fields, "policy");
  if (!policy) return std::move(policy).error();
  auto trusted = VerifyPolicyChain(org, roots, *policy);
  if (!trusted) return std::move(trusted).error();
  PolicyDocuments documents{org, std::move(roots), std::move(*policy), std::move(*trusted), {}};
  if (freshness_fields != nullptr) {
    auto freshness = EnvelopeFromJson(*freshness_fields, "freshness");
    if (!freshness) return std::move(freshness).error();
    auto verified = VerifyFreshness(*freshness, documents.trusted);
    if (!verified) return std::move(verified).error();
    documents.freshness = std::move(*freshness);
  }
  return documents;
}

json::object PolicyBundle(const PolicyDocuments& documents) {
  json::array roots;
  for (const Envelope& root : documents.roots) roots.push_back(EnvelopeToJson(root));
  json::object bundle{{"roots", std::move(roots)}, {"policy", EnvelopeToJson(documents.policy)}};
  if (documents.freshness) bundle["freshness"] = EnvelopeToJson(*documents.freshness);
  return bundle;
}

}  // namespace mig
