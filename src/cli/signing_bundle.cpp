#include "cli/signing_bundle.h"

#include <algorithm>

#include "crypto/verifying_key.h"
#include "trust/policy_chain.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::cli {
namespace {

Expected<Envelope> ReadDocument(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kMalformed, where + ": is not an envelope");
  const json::object& fields = item.get_object();
  const json::value* signatures = fields.if_contains("signatures");
  const bool is_unsigned =
      signatures != nullptr && signatures->is_array() && signatures->get_array().empty();
  if (!is_unsigned) return EnvelopeFromJson(fields, where);
  json::ObjectReader in(fields, where);
  Envelope envelope;
  envelope.payload_type = in.String("payloadType");
  envelope.payload = in.Base64("payload");
  in.Array("signatures");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return envelope;
}

std::size_t Signing(const Root& root, const Envelope& envelope) {
  return static_cast<std::size_t>(
      std::count_if(root.keys.begin(), root.keys.end(), [&](const DocumentKey& document_key) {
        const auto key = VerifyingKey::From(document_key.type, document_key.key);
        return key && SignedBy(envelope, *key);
      }));
}

// Which roots must sign which document.
struct Duty {
  std::string document;
  Envelope* envelope;
  const Root* root;
};
Expected<std::vector<Duty>> Duties(SigningBundle& bundle, const std::vector<Root>& roots) {
  std::vector<Duty> duties;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const std::string name = "root version " + std::to_string(roots[i].version);
    if (i > 0) duties.push_back({name, &bundle.roots[i], &roots[i - 1]});
    duties.push_back({name, &bundle.roots[i], &roots[i]});
  }
  if (bundle.policy) {
    auto policy = PolicyIn(bundle);
    if (!policy) return std::move(policy).error();
    duties.push_back(
        {"policy version " + std::to_string(policy->version), &*bundle.policy, &roots.back()});
  }
  return duties;
}

Expected<std::vector<Root>> RootsIn(const SigningBundle& bundle) {
  std::vector<Root> roots;
  for (std::size_t i = 0; i < bundle.roots.size(); ++i) {
    auto root = RootIn(bundle, i);
    if (!root) return std::move(root).error();
    roots.push_back(std::move(*root));
  }
  return roots;
}

}  // namespace

OrgId SigningBundle::org() const { return OrgOf(roots.front()); }

Envelope Unsigned(std::string_view type, Bytes payload) {
  return Envelope{std::string(type), std::move(payload), {}};
}

Expected<SigningBundle> ReadSigningBundle(std::string_view text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error();
  json::ObjectReader in(*fields, "documents");
  SigningBundle bundle;
  const json::array* roots = in.Array("roots");
  const json::value* policy = in.OptionalAny("policy");
  in.OptionalAny("freshness");  // of a bundle that was published; made anew
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  if (roots->empty()) return Error(Errc::kInvalid, "documents: has no root");
  if (roots->size() > kMaxRoots) return Error(Errc::kInvalid, "documents: has too many roots");
  for (const json::value& item : *roots) {
    auto root = ReadDocument(item, "roots[" + std::to_string(bundle.roots.size()) + "]");
    if (!root) return std::move(root).error();
    bundle.roots.push_back(std::move(*root));
  }
  if (policy != nullptr) {
    auto read = ReadDocument(*policy, "policy");
    if (!read) return std::move(read).error();
    bundle.policy = std::move(*read);
  }
  return bundle;
}

std::string WriteSigningBundle(const SigningBundle& bundle) {
  json::array roots;
  for (const Envelope& root : bundle.roots) roots.push_back(EnvelopeToJson(root));
  json::object fields{{"roots", std::move(roots)}};
  if (bundle.policy) fields["policy"] = EnvelopeToJson(*bundle.policy);
  return json::WritePretty(fields) + "\n";
}

Expected<Root> RootIn(const SigningBundle& bundle, std::size_t index) {
  const std::string name = "root version " + std::to_string(index + 1);
  if (bundle.roots[index].payload_type != kRootType) {
    return Error(Errc::kInvalid, name + ": is another kind of document");
  }
  auto root = DecodeRoot(bundle.roots[index].payload);
  if (!root) return std::move(root).error().During(name);
  if (root->version == index + 1) return root;
  return Error(Errc::kInvalid, name + ": says that it is version " + std::to_string(root->version));
}

Expected<Policy> PolicyIn(const SigningBundle& bundle) {
  if (!bundle.policy) return Error(Errc::kNotFound, "there is no policy among the documents");
  if (bundle.policy->payload_type != kPolicyType) {
    return Error(Errc::kInvalid, "policy: is another kind of document");
  }
  auto policy = DecodePolicy(bundle.policy->payload);
  if (!policy) return policy;
  if (policy->org == bundle.org()) return policy;
  return Error(Errc::kDenied, "policy: is for deployment " + policy->org.Text() +
                                  ", the roots are "
                                  "those of " +
                                  bundle.org().Text());
}

Expected<std::vector<MissingSignatures>> MissingIn(const SigningBundle& bundle) {
  auto roots = RootsIn(bundle);
  if (!roots) return std::move(roots).error();
  SigningBundle copy = bundle;
  auto duties = Duties(copy, *roots);
  if (!duties) return std::move(duties).error();
  std::vector<MissingSignatures> missing;
  for (const Duty& duty : *duties) {
    const std::size_t have = Signing(*duty.root, *duty.envelope);
    if (have >= duty.root->threshold) continue;
    missing.push_back({duty.document, "root version " + std::to_string(duty.root->version), have,
                       duty.root->threshold});
  }
  return missing;
}

std::string MissingText(const MissingSignatures& missing) {
  return missing.document + " is signed by " + std::to_string(missing.have) + " of " +
         Count(missing.need, "key") + " that it needs of " + missing.under;
}

Expected<std::vector<std::string>> SignBundle(SigningBundle& bundle, Signer& signer) {
  auto roots = RootsIn(bundle);
  if (!roots) return std::move(roots).error();
  auto duties = Duties(bundle, *roots);
  if (!duties) return std::move(duties).error();
  auto key = VerifyingKey::From(signer.key().type, signer.key().key);
  if (!key) return std::move(key).error().During(signer.key().source);
  std::vector<std::string> signed_now;
  bool counts = false;
  for (const Duty& duty : *duties) {
    const bool wanted = std::any_of(
        duty.root->keys.begin(), duty.root->keys.end(),
        [&](const DocumentKey& root_key) { return MaterialOf(root_key) == key->Material(); });
    if (!wanted) continue;
    counts = true;
    // An old root's documents are as complete as they will ever be.
    if (SignedBy(*duty.envelope, *key) ||
        Signing(*duty.root, *duty.envelope) >= duty.root->threshold) {
      continue;
    }
    if (auto added = AddSignature(*duty.envelope, signer); !added) {
      return std::move(added).error().During(duty.document);
    }
    signed_now.push_back(duty.document);
  }
  if (counts) return signed_now;
  return Error(Errc::kDenied,
               signer.key().source + ": this key is not a root key of the deployment");
}

}  // namespace mig::cli
