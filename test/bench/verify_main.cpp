// How many actions one core verifies a second: from the bytes of a command's envelope to the
// verdict, as the agent does it (decode, signatures, policy, constraints, target, limits), with 1,
// 2 and 5 signatures by distinct people. The peer in the same run: libsodium's verification of the
// same signatures over the same bytes and nothing else, so that the ratio says what our part costs.
//   bench_verify [SECONDS]     seconds for each measurement, default 2
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "crypto/merkle.h"
#include "trust/authorisation.h"

namespace {

using namespace mig;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;  // the median of these is printed

class EmptyMemory : public ReplayMemory {
 public:
  Expected<std::optional<Seen>> Find(const ActionId&) const override {
    return std::optional<Seen>();
  }
  Expected<bool> IsStopped(const ActionId&) const override { return false; }
};

struct Setting {
  std::vector<SecretKey> people;
  SecretKey root_key = SecretKey::Generate();
  SecretKey freshness_key = SecretKey::Generate();
  UtcTime now = ParseRfc3339("2026-11-23T12:00:00Z").value();
  Policy policy;
  std::optional<TrustedPolicy> trusted;

  Setting() {
    const auto key_of = [](const SecretKey& key) {
      return DocumentKey{"ed25519", Bytes(key.public_key().View())};
    };
    Root root;
    root.keys = {key_of(root_key)};
    root.issued = now;
    const Envelope root_envelope = Seal(kRootType, EncodeRoot(root), root_key);
    policy.org = OrgOf(root_envelope);
    policy.issued = now;
    policy.expires = now + std::chrono::hours(24);
    // A team of fifty, as a large deployment has it.
    ModuleRule rule;
    for (int i = 0; i < 50; ++i) {
      people.push_back(SecretKey::Generate());
      const std::string id = "person" + std::to_string(i);
      policy.people.push_back({id, "Person " + std::to_string(i), true, {key_of(people.back())}});
      rule.weights[id] = 1;
    }
    policy.modules["default"] = rule;
    policy.validity[Kind::kInvestigate] = std::chrono::hours(24);
    auto verified = VerifyPolicyChain(policy.org, {root_envelope},
                                      Seal(kPolicyType, EncodePolicy(policy), root_key));
    if (!verified) std::abort();
    trusted = std::move(*verified);
  }

  Bytes SignedBy(std::size_t signers) const {
    Action action;
    action.id = ActionId::FromBytes(RandomBytes(ActionId::kBytes)).value();
    action.org = policy.org;
    action.name = "which machines have these files";
    action.target = "environment->>'os' = 'linux' AND name LIKE 'web%'";
    action.validfrom = now - std::chrono::minutes(1);
    action.expireafter = now + std::chrono::minutes(5);
    json::object search = {{"paths", json::array{"/etc", "/usr/lib"}},
                           {"names", json::array{"^libcrypto\\.so", "^passwd$"}}};
    action.operations = {{"file", json::object{{"searches", json::object{{"s1", search}}}}}};
    Envelope envelope{std::string(kActionType), EncodeAction(action), {}};
    for (std::size_t i = 0; i < signers; ++i) AddSignature(envelope, people[i]);
    return EncodeEnvelope(envelope);
  }
};

// Median of the rounds: how often `work` ran in a second.
double Rate(double seconds, const std::function<void()>& work) {
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const auto began = Clock::now();
    std::size_t runs = 0;
    std::chrono::duration<double> taken{};
    do {
      for (int i = 0; i < 16; ++i) work();
      runs += 16;
      taken = Clock::now() - began;
    } while (taken.count() < seconds / kRounds);
    rates.push_back(static_cast<double>(runs) / taken.count());
  }
  std::nth_element(rates.begin(), rates.begin() + kRounds / 2, rates.end());
  return rates[kRounds / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2.0;
  if (seconds <= 0) {
    std::fprintf(stderr, "usage: bench_verify [SECONDS]\n");
    return 2;
  }
  const Setting setting;
  EmptyMemory memory;
  CheckContext context;
  context.policy = &*setting.trusted;
  context.org = setting.policy.org;
  context.now = setting.now;
  context.memory = &memory;
  context.modules = [](std::string_view) { return std::optional<ModuleFacts>(ModuleFacts{}); };
  context.facts.value = [](std::string_view field,
                           std::string_view) -> std::optional<std::optional<std::string>> {
    return std::optional<std::string>(field == "environment" ? "linux" : "web1");
  };
  context.facts.now = setting.now;
  context.sandbox_full = true;

  std::printf("| signatures | actions/s | us each | libsodium alone/s | ratio |\n");
  std::printf("|---|---|---|---|---|\n");
  for (const std::size_t signers : {1, 2, 5}) {
    const Bytes text = setting.SignedBy(signers);
    const double ours = Rate(seconds, [&] {
      const auto envelope = DecodeEnvelope(text);
      if (!envelope || !CheckAction(*envelope, context).accepted) std::abort();
    });
    const Envelope envelope = DecodeEnvelope(text).value();
    const Bytes bytes = PreAuthEncoding(envelope.payload_type, envelope.payload);
    const double bare = Rate(seconds, [&] {
      for (std::size_t i = 0; i < signers; ++i) {
        const auto* key =
            reinterpret_cast<const unsigned char*>(setting.people[i].public_key().View().data());
        const auto* sig = reinterpret_cast<const unsigned char*>(envelope.signatures[i].sig.data());
        const auto* message = reinterpret_cast<const unsigned char*>(bytes.data());
        if (crypto_sign_verify_detached(sig, message, bytes.size(), key) != 0) std::abort();
      }
    });
    std::printf("| %zu | %.0f | %.0f | %.0f | %.2f |\n", signers, ours, 1e6 / ours, bare,
                ours / bare);
  }
  return 0;
}
