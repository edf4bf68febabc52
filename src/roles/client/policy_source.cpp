#include "roles/client/policy_source.h"

#include <algorithm>

#include "cli/api_client.h"
#include "os/files.h"
#include "proto/policy.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kMaxDocumentBytes = 2 * kMaxEnvelopeBytes;  // people indent

Expected<PolicyFound> FromFiles(const PolicyOptions& wanted) {
  struct NumberedRoot {
    std::uint64_t version;
    Envelope envelope;
  };
  std::vector<NumberedRoot> numbered;
  std::optional<Envelope> policy;
  for (const std::string& file : wanted.files) {
    auto text = os::ReadFile(file, kMaxDocumentBytes);
    if (!text) return std::move(text).error();
    auto envelope = DecodeEnvelope(*text);
    if (!envelope) return std::move(envelope).error().During(file);
    if (envelope->payload_type == kRootType) {
      auto root = DecodeRoot(envelope->payload);
      if (!root) return std::move(root).error().During(file);
      numbered.push_back({root->version, std::move(*envelope)});
    } else if (envelope->payload_type == kPolicyType && !policy) {
      policy = std::move(*envelope);
    } else {
      return Error(Errc::kInvalid, file +
                                       ": --policy wants root documents and one policy, this is "
                                       "a " +
                                       envelope->payload_type);
    }
  }
  if (!policy || numbered.empty()) {
    return Error(Errc::kInvalid, std::string("--policy: the ") +
                                     (policy ? "root documents are" : "policy is") +
                                     " missing; give each file: --policy root.1.json --policy "
                                     "policy.json");
  }
  std::sort(numbered.begin(), numbered.end(),
            [](const auto& a, const auto& b) { return a.version < b.version; });
  std::vector<Envelope> roots;
  for (NumberedRoot& root : numbered) roots.push_back(std::move(root.envelope));
  const auto config = cli::FindClientConfig(wanted.connection.config, cli::ProcessEnvironment);
  const OrgId org = config ? config->org : OrgOf(roots.front());
  auto trusted = VerifyPolicyChain(org, roots, *policy);
  if (!trusted) return std::move(trusted).error().During("--policy");
  return PolicyFound{std::move(*trusted), Join(wanted.files, ", ")};
}

}  // namespace

void PolicyOptions::AddTo(cli::Options& options, bool signs) {
  options.Texts("policy", '\0', "FILE",
                "judge by these files, without a server: the root documents and the policy",
                &files);
  signs ? connection.AddTo(options) : connection.AddConfigTo(options);
}

Expected<PolicyFound> FindPolicy(const PolicyOptions& wanted) {
  if (!wanted.files.empty()) return FromFiles(wanted);
  auto config = cli::FindClientConfig(wanted.connection.config, cli::ProcessEnvironment);
  if (!config) return std::move(config).error();
  cli::ApiClient api(*config, {}, std::chrono::milliseconds(0));
  auto policy = api.GetPolicy();
  if (!policy) return std::move(policy).error();
  return PolicyFound{std::move(*policy), "the server " + config->api};
}

}  // namespace mig
