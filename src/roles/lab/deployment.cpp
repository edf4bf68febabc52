#include "roles/lab/deployment.h"

#include "crypto/certificate.h"
#include "crypto/envelope.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "proto/policy.h"
#include "trust/freshness.h"
#include "trust/policy_chain.h"
#include "trust/policy_documents.h"

namespace mig::lab {
namespace {

namespace fs = std::filesystem;

// Nobody renews a lab.
constexpr std::chrono::hours kValidity{10 * 365 * 24};
constexpr const char* kInvestigatorName = "Lab Investigator <lab@localhost>";
constexpr const char* kInvestigatorId = "lab";

bool Exists(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error);
}

// The key in that file, made and written when it is not there. Unprotected: a lab's keys are worth
// nothing outside it.
Expected<KeyFile> EnsureKey(const fs::path& file, std::string name, UtcTime now) {
  if (!Exists(file)) {
    const KeyFile key{std::move(name), now, SecretKey::Generate()};
    auto text = WriteKeyFile(key, "");
    if (!text) return std::move(text).error();
    if (auto written = os::WriteNewFile(file, *text, 0600); !written) {
      return std::move(written).error();
    }
  }
  auto text = os::ReadFile(file);
  if (!text) return std::move(text).error();
  auto key = ReadKeyFile(*text, "");
  if (!key) return std::move(key).error().During(file.string());
  return key;
}

Expected<void> WritePair(const LabFiles& files, const std::string& name, const KeyPairPem& pair) {
  // The certificate last: with it, both are there.
  if (auto key = os::WriteFileAtomically(files.TlsKey(name), pair.key, 0600); !key) return key;
  return os::WriteFileAtomically(files.Certificate(name), pair.certificate, 0644);
}

Expected<KeyPairPem> LoadPair(const LabFiles& files, const std::string& name) {
  auto key = os::ReadFile(files.TlsKey(name));
  if (!key) return std::move(key).error();
  auto certificate = os::ReadFile(files.Certificate(name));
  if (!certificate) return std::move(certificate).error();
  return KeyPairPem{std::move(*key), std::move(*certificate)};
}

Expected<KeyPairPem> EnsureCa(const LabFiles& files, const std::string& name,
                              std::string_view common_name, UtcTime now) {
  if (!Exists(files.Certificate(name))) {
    auto ca = MakeCa(common_name, now, kValidity);
    if (!ca) return ca;
    if (auto written = WritePair(files, name, *ca); !written) return std::move(written).error();
  }
  return LoadPair(files, name);
}

Expected<void> EnsureRole(const LabFiles& files, const std::string& role, const KeyPairPem& ca,
                          UtcTime now) {
  if (Exists(files.Certificate(role))) return {};
  LeafRequest request;
  request.name = {role, role + "-1"};
  request.dns_names = {"localhost", "127.0.0.1", "::1"};
  request.server = role != "scheduler";
  request.validity = kValidity;
  auto pair = IssueLeaf(ca, request, now);
  if (!pair) return std::move(pair).error();
  return WritePair(files, role, *pair);
}

DocumentKey PublicOf(const SecretKey& key) { return {"ed25519", Bytes(key.public_key().View())}; }

Policy LabPolicy(const OrgId& org, const SecretKey& investigator, const SecretKey& freshness,
                 UtcTime now) {
  Policy policy;
  policy.org = org;
  policy.version = 1;
  policy.issued = now;
  policy.expires = now + kValidity;
  policy.people = {{kInvestigatorId, kInvestigatorName, true, {PublicOf(investigator)}}};
  policy.freshness = FreshnessRule{{PublicOf(freshness)}, std::chrono::hours(24)};
  policy.modules["default"] = ModuleRule{1, {{kInvestigatorId, 1}}, {}};
  policy.enrolment = EnrolmentRule{1, {{kInvestigatorId, 1}}};
  // Generous, but not boundless: a slip in a lab on a laptop should not fill its disk.
  policy.ceilings.seconds = 24 * 3600;
  policy.ceilings.rss = std::uint64_t{8} << 30;
  policy.ceilings.cpu = 6400;
  policy.ceilings.rows = 100'000'000;
  policy.ceilings.bytes = std::uint64_t{64} << 30;
  policy.validity[Kind::kInvestigate] = std::chrono::hours(30 * 24);
  policy.validity[Kind::kRespond] = std::chrono::hours(24);
  policy.validity[Kind::kAdmin] = std::chrono::hours(24);
  return policy;
}

Expected<void> EnsureEnvelope(const fs::path& file, std::string_view type, Bytes payload,
                              const SecretKey& root) {
  if (Exists(file)) return {};
  return os::WriteFileAtomically(file, EncodeEnvelope(Seal(type, std::move(payload), root)), 0644);
}

}  // namespace

Expected<OrgId> LoadOrg(const LabFiles& files) {
  auto text = os::ReadFile(files.Root());
  if (!text) return std::move(text).error();
  auto envelope = DecodeEnvelope(*text);
  if (!envelope) return std::move(envelope).error().During(files.Root().string());
  return OrgOf(*envelope);
}

Expected<void> MakeDeployment(const LabFiles& files, UtcTime now) {
  auto root_key = EnsureKey(files.Key("root"), "Lab Root", now);
  if (!root_key) return std::move(root_key).error();
  auto investigator = EnsureKey(files.Key("investigator"), kInvestigatorName, now);
  if (!investigator) return std::move(investigator).error();
  auto freshness = EnsureKey(files.Key("freshness"), "Lab Freshness", now);
  if (!freshness) return std::move(freshness).error();

  Root root;
  root.keys = {PublicOf(root_key->secret)};
  root.issued = now;
  auto made = EnsureEnvelope(files.Root(), kRootType, EncodeRoot(root), root_key->secret);
  if (!made) return made;
  // From the file: it may be of an earlier time.
  auto org = LoadOrg(files);
  if (!org) return std::move(org).error();
  made = EnsureEnvelope(files.Policy(), kPolicyType,
                        EncodePolicy(LabPolicy(*org, investigator->secret, freshness->secret, now)),
                        root_key->secret);
  if (!made) return made;

  auto agents_ca = EnsureCa(files, "agents-ca", "mig lab agents CA", now);
  if (!agents_ca) return std::move(agents_ca).error();
  auto servers_ca = EnsureCa(files, "servers-ca", "mig lab servers CA", now);
  if (!servers_ca) return std::move(servers_ca).error();
  for (const char* role : {"relay", "scheduler", "api"}) {
    if (auto issued = EnsureRole(files, role, *servers_ca, now); !issued) return issued;
  }
  return {};
}

Expected<void> WriteFreshness(const LabFiles& files, UtcTime now) {
  auto documents = LoadPolicyDocuments({{files.Root()}, files.Policy(), {}});
  if (!documents) return std::move(documents).error();
  auto key = EnsureKey(files.Key("freshness"), "Lab Freshness", now);
  if (!key) return std::move(key).error();
  const Freshness statement{documents->org, documents->trusted.policy().version,
                            documents->trusted.policy_digest(), now};
  const Envelope envelope = Seal(kFreshnessType, EncodeFreshness(statement), key->secret);
  if (!VerifyFreshness(envelope, documents->trusted)) return {};
  return os::WriteFileAtomically(files.Freshness(), EncodeEnvelope(envelope), 0644);
}

}  // namespace mig::lab
