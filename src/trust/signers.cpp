#include "trust/signers.h"

#include "util/text.h"

namespace mig {
namespace {

std::string Number(std::size_t index) { return "signature " + std::to_string(index + 1); }

}  // namespace

Signers CheckSigners(const Envelope& envelope, const TrustedPolicy& policy) {
  Signers result;
  if (envelope.signatures.empty()) {
    result.refused = Refused{Refusal::kBadSignature, "there is no signature"};
    return result;
  }
  const Bytes signed_bytes = PreAuthEncoding(envelope.payload_type, envelope.payload);

  // One pass, but the reported reason does not depend on the order of the signatures: a forged one
  // goes before an unknown one, that before a revoked one.
  std::optional<Refused> bad;
  std::optional<Refused> unknown;
  std::optional<Refused> revoked;
  for (std::size_t i = 0; i < envelope.signatures.size(); ++i) {
    const Signature& signature = envelope.signatures[i];
    const auto key_id = KeyId::Parse(signature.keyid);
    const TrustedPolicy::Signer* signer = key_id ? policy.FindSigner(*key_id) : nullptr;
    if (signer == nullptr) {
      if (!unknown) {
        unknown =
            Refused{Refusal::kUnknownSigner,
                    Number(i) + ": key `" + signature.keyid.substr(0, KeyId::kTextLength) +
                        "` is not in policy version " + std::to_string(policy.policy().version)};
      }
      continue;
    }
    const Person& person = *signer->person;
    if (!signer->key.Verify(signed_bytes, signature.sig)) {
      if (!bad) {
        bad = Refused{Refusal::kBadSignature,
                      Number(i) + ", which says it is by " + person.name + ", does not verify"};
      }
      continue;
    }
    if (signer->revoked) {
      if (!revoked) {
        revoked = Refused{
            Refusal::kRevokedSigner,
            Number(i) + ": " +
                (person.active ? "key " + key_id->Text() + " of " + person.name + " is revoked"
                               : person.name + " is disabled")};
      }
      continue;
    }
    result.people.insert(person.id);
  }
  result.refused = bad ? bad : unknown ? unknown : revoked;
  if (result.refused) result.people.clear();
  return result;
}

std::uint64_t WeightOf(const std::set<std::string>& people,
                       const std::map<std::string, std::uint32_t>& weights) {
  std::uint64_t weight = 0;  // of at most kMaxSignatures people: cannot overflow
  for (const std::string& person : people) {
    const auto found = weights.find(person);
    if (found != weights.end()) weight += found->second;
  }
  return weight;
}

std::optional<Refused> CheckWeights(const std::vector<Operation>& operations, Kind kind,
                                    const std::set<std::string>& people,
                                    const TrustedPolicy& policy) {
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const std::string& module = operations[i].module;
    const std::string where = "operations[" + std::to_string(i) + "], module " + module + ": ";
    const ModuleRule* rule = policy.RuleFor(module, kind);
    if (rule == nullptr) {
      return Refused{Refusal::kTooLittleWeight, where + "the policy lets nobody use it"};
    }
    const std::uint64_t weight = WeightOf(people, rule->weights);
    // The decoder refuses a minimum of 0, which would need no signer at all.
    const std::uint64_t needed = std::max<std::uint64_t>(rule->minimumweight, 1);
    if (weight < needed) {
      return Refused{Refusal::kTooLittleWeight, where + Count(people.size(), "signer") +
                                                    " of weight " + std::to_string(weight) +
                                                    ", needed is " + std::to_string(needed)};
    }
  }
  return std::nullopt;
}

}  // namespace mig
