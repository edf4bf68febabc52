#include "crypto/openpgp_certificate.h"

#include <algorithm>
#include <chrono>

#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_self_signatures.h"
#include "util/text.h"

namespace mig::openpgp {
namespace {

constexpr std::size_t kMaxPackets = 4096;
// Hashed once for each of its signatures. A longer one names nobody, and is skipped.
constexpr std::size_t kMaxUserIdBytes = 4096;

constexpr const char* kForeignRevocation =
    "it seems to be revoked by its designated revoker, which cannot be checked";

UtcTime Time(std::uint64_t seconds) {
  return UtcTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

bool IsPrimaryKey(PacketType type) {
  return type == PacketType::kPublicKey || type == PacketType::kSecretKey;
}
bool IsSubkey(PacketType type) {
  return type == PacketType::kPublicSubkey || type == PacketType::kSecretSubkey;
}

// A key, a user id or a user attribute, and the signatures that follow it.
struct Component {
  Packet packet;
  std::vector<BytesView> signatures;
};
// One certificate's packets: the primary key first.
using Components = std::vector<Component>;

// RFC 9580 section 10.1: packets in their order, nothing understood yet.
Expected<std::vector<Components>> Arrange(BytesView rest) {
  std::vector<Components> all;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count == kMaxPackets) {
      return Error(Errc::kFull, "OpenPGP key: more than 4096 packets");
    }
    const auto packet = TakePacket(rest);
    if (!packet) return packet.error();
    const PacketType type = packet->type;
    if (type == PacketType::kMarker || type == PacketType::kTrust || type == PacketType::kPadding) {
      continue;  // sections 5.8, 5.10, 5.14: to be ignored
    }
    if (IsPrimaryKey(type)) {
      if (all.size() == kMaxCertificates) {
        return Error(Errc::kFull, "OpenPGP key: more than 64 of them in one file");
      }
      all.push_back({Component{*packet, {}}});
      continue;
    }
    if (all.empty()) {
      return Error(Errc::kMalformed,
                   type == PacketType::kSignature
                       ? "OpenPGP key: the file has a signature and no key before it (a revocation "
                         "certificate alone is no key: import it with GnuPG, and export the key)"
                       : "OpenPGP key: the file does not begin with a key");
    }
    if (type == PacketType::kSignature) {
      all.back().back().signatures.push_back(packet->body);
    } else if (IsSubkey(type) || type == PacketType::kUserId ||
               type == PacketType::kUserAttribute) {
      all.back().push_back({*packet, {}});
    } else if (static_cast<unsigned>(type) < 40) {
      // Section 4.3: an unknown type from 40 on may be skipped, others may not.
      return Error(Errc::kUnsupported, "OpenPGP key: a packet of type " +
                                           std::to_string(static_cast<unsigned>(type)) +
                                           " does not belong on a key");
    }
  }
  return all;
}

// Takes the words of an error for a key that cannot be used, without what it is about.
std::string Reason(const Error& error) {
  const std::size_t colon = error.message().find(": ");
  return colon == std::string::npos ? error.message() : error.message().substr(colon + 2);
}

class Reader {
 public:
  Reader(UtcTime now, SignatureBudget& budget) : now_(now), budget_(budget) {}

  Expected<Certificate> Read(const Components& components) {
    auto primary = ReadKey(components.front().packet);
    if (!primary) return std::move(primary).error();
    primary_ = std::move(*primary);
    certificate_.keys.push_back(Described(primary_));
    if (primary_.voucher) {
      if (auto ok = JudgePrimary(components); !ok) return std::move(ok).error();
    } else {
      certificate_.keys.front().why_not = primary_.why_not;
      primary_problem_ = "its primary key vouches for nothing here: " + primary_.why_not;
      certificate_.vouches = false;
    }
    for (const Component& component : components) {
      if (!IsSubkey(component.packet.type)) continue;
      if (auto ok = JudgeSubkey(component); !ok) return std::move(ok).error();
    }
    return std::move(certificate_);
  }

 private:
  static CertificateKey Described(const KeyPacket& key) {
    CertificateKey described;
    described.is_primary = !key.is_subkey;
    described.fingerprint = FingerprintText(key);
    described.created = Time(key.created);
    described.material = key.material;
    if (key.has_secret) described.secret.emplace(key);
    return described;
  }

  // Section 5.2.3.13: seconds after the key's creation; zero is never.
  static std::optional<UtcTime> Expiry(const KeyPacket& key, std::uint32_t lifetime) {
    if (lifetime == 0) return std::nullopt;
    return Time(std::uint64_t{key.created} + lifetime);
  }
  std::string TimeProblem(const CertificateKey& key) const {
    if (key.created > now_) {
      return "it is of the future (" + FormatRfc3339(key.created) + "): is this clock right?";
    }
    if (key.expires && *key.expires <= now_) return "it expired on " + FormatRfc3339(*key.expires);
    return {};
  }

  Expected<void> JudgePrimary(const Components& components) {
    CertificateKey& described = certificate_.keys.front();
    const Bytes hashed_primary = HashedForm(primary_);
    const auto direct = SelfSignatures::Check(primary_, {hashed_primary}, Kind::kPrimaryKey,
                                              components.front().signatures, now_, budget_);
    if (!direct) return direct.error();
    std::optional<SelfSignature> named;  // of the user id that speaks for the key
    std::string problem = direct->problem;
    for (const Component& component : components) {
      if (component.packet.type != PacketType::kUserId) continue;
      const BytesView text = component.packet.body;
      if (text.size() > kMaxUserIdBytes) continue;
      Bytes header(1, static_cast<char>(0xB4));  // section 5.2.4
      AppendU32(header, text.size());
      auto signatures = SelfSignatures::Check(primary_, {hashed_primary, header, text},
                                              Kind::kUserId, component.signatures, now_, budget_);
      if (!signatures) return std::move(signatures).error();
      if (!signatures->newest || !signatures->revocation.empty()) {
        if (problem.empty()) {
          problem =
              signatures->revocation.empty() ? signatures->problem : "every user id is revoked";
        }
        continue;
      }
      // Flags of primary user id first, then the newest (section 5.2.3.27).
      const auto rank = [](const SelfSignature& s) {
        return std::make_pair(s.is_primary_user_id, s.created);
      };
      const bool speaks = !named || rank(*named) < rank(*signatures->newest);
      if (speaks) named = signatures->newest;
      if (IsUtf8(text)) {
        auto& ids = certificate_.user_ids;
        ids.insert(speaks ? ids.begin() : ids.end(), std::string(text));
      }
    }
    const bool direct_first = primary_.version == 6;
    const auto& first = direct_first ? direct->newest : named;
    const auto& second = direct_first ? named : direct->newest;
    const auto field = [&](auto SelfSignature::*member) {
      auto value = first ? (*first).*member : decltype((*first).*member){};
      return value || !second ? value : (*second).*member;
    };
    if (!first && !second) {
      primary_problem_ =
          problem.empty() ? "nothing on it vouches for it: no self-signature" : problem;
    } else {
      described.expires = Expiry(primary_, field(&SelfSignature::key_lifetime).value_or(0));
      primary_problem_ = TimeProblem(described);
    }
    if (!direct->revocation.empty()) primary_problem_ = direct->revocation;
    // A designated revoker's signature cannot be checked without that person's key.
    const bool names_revoker = (first && first->names_revoker) || (second && second->names_revoker);
    if (primary_problem_.empty() && names_revoker && direct->has_foreign_revocation) {
      primary_problem_ =
          "it seems to be revoked by its designated revoker, which cannot be checked";
    }
    described.why_not = primary_problem_.empty() ? primary_.why_not : primary_problem_;
    if (described.why_not.empty() &&
        (field(&SelfSignature::key_flags).value_or(0) & kMaySign) == 0) {
      described.why_not = "it is not meant for signing data (key flags)";
    }
    if (!primary_problem_.empty()) primary_problem_ = "of its primary key: " + primary_problem_;
    return {};
  }

  Expected<void> JudgeSubkey(const Component& component) {
    auto key = ReadKey(component.packet);
    // One subkey of a kind that nobody knew yet does not spoil the others.
    if (!key && key.error().code() == Errc::kUnsupported) return {};
    if (!key) return std::move(key).error();
    CertificateKey described = Described(*key);
    std::string& why_not = described.why_not;
    why_not = key->why_not;
    if (why_not.empty()) why_not = primary_problem_;
    if (why_not.empty() && key->version != primary_.version) {
      why_not = "its version is not that of its primary key";  // section 10.1
    }
    // Even where it is of no use: an expiry is shown all the same.
    if (primary_.voucher) {
      const Bytes hashed_primary = HashedForm(primary_);
      const Bytes hashed_subkey = HashedForm(*key);
      const auto bindings =
          SelfSignatures::Check(primary_, {hashed_primary, hashed_subkey}, Kind::kSubkey,
                                component.signatures, now_, budget_);
      if (!bindings) return bindings.error();
      if (bindings->newest) {
        described.expires = Expiry(*key, bindings->newest->key_lifetime.value_or(0));
      }
      if (why_not.empty()) {
        why_not = SubkeyProblem(*key, *bindings, {hashed_primary, hashed_subkey});
      }
      if (why_not.empty()) why_not = TimeProblem(described);
      const auto& primary_expires = certificate_.keys.front().expires;
      if (primary_expires && (!described.expires || *primary_expires < *described.expires)) {
        described.expires = primary_expires;
      }
    }
    certificate_.keys.push_back(std::move(described));
    return {};
  }

  std::string SubkeyProblem(const KeyPacket& key, const SelfSignatures& bindings,
                            std::initializer_list<BytesView> parts) {
    if (!bindings.revocation.empty()) return bindings.revocation;
    if (names_revoker_ && bindings.has_foreign_revocation) return kForeignRevocation;
    if (!bindings.newest) {
      return bindings.problem.empty() ? "its primary key does not vouch for it" : bindings.problem;
    }
    if ((bindings.newest->key_flags.value_or(0) & kMaySign) == 0) {
      return "it is not meant for signing data (key flags)";
    }
    // Section 5.2.1.9: else anybody could adopt somebody else's signing key as a subkey.
    if (bindings.newest->embedded.empty()) {
      return "it did not sign in return for its primary key (0x19)";
    }
    const auto back = ReadSignature(bindings.newest->embedded);
    if (!back) return "its signature in return (0x19): " + Reason(back.error());
    if (back->type != SignatureType::kPrimaryKeyBinding || back->version != key.version) {
      return "its signature in return is of another type than 0x19";
    }
    if (const auto ok = VerifyBy(*key.material, *back, parts, Sha1::kRefused); !ok) {
      return "its signature in return (0x19): " + Reason(ok.error());
    }
    return {};
  }

  const UtcTime now_;
  SignatureBudget& budget_;
  KeyPacket primary_;
  bool names_revoker_ = false;   // section 5.2.3.23: whose key is not at hand
  std::string primary_problem_;  // keeps subkeys from being used as well
  Certificate certificate_;
};

Expected<void> ReadAll(BytesView binary, UtcTime now, SignatureBudget& budget,
                       std::vector<Certificate>& into) {
  const auto all = Arrange(binary);
  if (!all) return all.error();
  for (const Components& components : *all) {
    if (into.size() == kMaxCertificates) {
      return Error(Errc::kFull, "OpenPGP key: more than 64 of them in one file");
    }
    auto certificate = Reader(now, budget).Read(components);
    if (!certificate) return std::move(certificate).error();
    into.push_back(std::move(*certificate));
  }
  return {};
}

}  // namespace

Expected<std::vector<Certificate>> ReadCertificates(BytesView bytes, UtcTime now) {
  if (bytes.size() > kMaxArmorBytes) {
    return Error(Errc::kMalformed, "OpenPGP key: longer than 1 MiB");
  }
  if (bytes.empty()) return Error(Errc::kMalformed, "OpenPGP key: nothing there");
  std::vector<Certificate> certificates;
  SignatureBudget budget;
  if (!LooksArmored(bytes)) {
    if (auto ok = ReadAll(bytes, now, budget, certificates); !ok) return std::move(ok).error();
  } else {
    auto blocks = ReadArmor(bytes);
    if (!blocks) return std::move(blocks).error();
    Expected<void> outcome;
    for (ArmorBlock& block : *blocks) {
      // What the first line calls it is not believed: the packets say it themselves.
      if (outcome) outcome = ReadAll(block.body, now, budget, certificates);
      WipeBytes(block.body);
    }
    if (!outcome) return std::move(outcome).error();
  }
  if (certificates.empty()) return Error(Errc::kMalformed, "OpenPGP key: there is none");
  return certificates;
}

Expected<KeyFile> OpenSecret(const Certificate& certificate, const CertificateKey& key,
                             std::string_view passphrase) {
  if (!key.secret) {
    return Error(Errc::kNotFound, "OpenPGP key " + key.fingerprint +
                                      ": the file has only its public half (`gpg "
                                      "--export-secret-keys` writes both)");
  }
  if (!key.MaySign()) {
    return Error(Errc::kDenied, "OpenPGP key " + key.fingerprint + ": " + key.why_not);
  }
  const auto name = std::find_if(certificate.user_ids.begin(), certificate.user_ids.end(),
                                 [](const std::string& id) { return IsKeyName(id); });
  if (name == certificate.user_ids.end()) {
    return Error(Errc::kInvalid, "OpenPGP key " + key.fingerprint +
                                     ": it has no user id of one line and at most 256 bytes to "
                                     "name it by");
  }
  auto secret = key.secret->Open(passphrase);
  if (!secret) return std::move(secret).error();
  return KeyFile{*name, key.created, std::move(*secret)};
}

}  // namespace mig::openpgp
