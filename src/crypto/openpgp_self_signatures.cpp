#include "crypto/openpgp_self_signatures.h"

#include <chrono>

namespace mig::openpgp {
namespace {

SignatureType RevocationOf(Kind kind) {
  switch (kind) {
    case Kind::kPrimaryKey:
      return SignatureType::kKeyRevocation;
    case Kind::kUserId:
      return SignatureType::kCertificationRevocation;
    case Kind::kSubkey:
      break;
  }
  return SignatureType::kSubkeyRevocation;
}

bool Vouches(SignatureType type, Kind kind) {
  switch (kind) {
    case Kind::kPrimaryKey:
      return type == SignatureType::kDirectKey;
    case Kind::kUserId:
      return type >= SignatureType::kGenericCertification &&
             type <= SignatureType::kPositiveCertification;
    case Kind::kSubkey:
      break;
  }
  return type == SignatureType::kSubkeyBinding;
}

// The hints say who to ask, and are not believed: without one, the primary key is tried.
bool NamesSomebodyElse(const SignaturePacket& signature, const KeyPacket& primary) {
  if (!signature.issuer_fingerprint.empty()) {
    return signature.issuer_fingerprint != FingerprintOf(primary);
  }
  return !signature.issuer_key_id.empty() && signature.issuer_key_id != KeyIdOf(primary);
}

// RFC 9580 section 5.2.3.31, table 10.
std::string RevocationWords(const SignaturePacket& revocation) {
  const UtcTime when{std::chrono::seconds(revocation.created)};
  std::string words = "it was revoked on " + FormatRfc3339(when);
  switch (revocation.revocation_code.value_or(0)) {
    case 1:
      return words + " (superseded)";
    case 2:
      return words + " (its secret may be known to others)";
    case 3:
      return words + " (no longer used)";
    case 32:
      return words + " (the user id is no longer valid)";
    default:
      return words;
  }
}

std::string TimeProblem(const SignaturePacket& signature, UtcTime now) {
  const UtcTime created{std::chrono::seconds(signature.created)};
  if (created > now) {
    return "its self-signature is of the future (" + FormatRfc3339(created) +
           "): is this clock right?";
  }
  const UtcTime end = created + std::chrono::seconds(signature.lifetime);
  if (signature.lifetime != 0 && end <= now) {
    return "its self-signature expired on " + FormatRfc3339(end);
  }
  return {};
}

}  // namespace

Expected<SelfSignatures> SelfSignatures::Check(const KeyPacket& primary,
                                               std::initializer_list<BytesView> parts, Kind kind,
                                               std::span<const BytesView> signatures, UtcTime now,
                                               SignatureBudget& budget) {
  SelfSignatures found;
  std::optional<SignaturePacket> revocation;
  for (const BytesView body : signatures) {
    const auto signature = ReadSignature(body);
    // Its type stands in the second octet, whatever else of it cannot be read.
    const auto type = body.size() < 2 ? SignatureType{0xFF} : static_cast<SignatureType>(body[1]);
    const bool revokes = type == RevocationOf(kind);
    if (!revokes && !Vouches(type, kind)) continue;
    if (signature && NamesSomebodyElse(*signature, primary)) {
      found.has_foreign_revocation |= revokes;
      continue;
    }
    if (signature && signature->version != primary.version) continue;
    if (budget.left == 0) {
      return Error(Errc::kFull,
                   "OpenPGP key: more than 512 signatures to check; export it with "
                   "`gpg --export-options export-minimal`");
    }
    --budget.left;
    const auto verified = signature ? VerifyBy(*primary.voucher, *signature, parts,
                                               revokes ? Sha1::kAccepted : Sha1::kRefused)
                                    : Expected<void>(signature.error());
    if (!verified && revokes && verified.error().code() != Errc::kDenied) {
      // Not shown to be false: nobody should find out by trusting the key.
      found.revocation =
          "it seems to be revoked, which cannot be checked: " + verified.error().message();
      continue;
    }
    if (!verified) {
      found.problem = "its self-signature does not count: " + verified.error().message();
      continue;
    }
    if (revokes) {
      if (!revocation || revocation->created < signature->created) revocation = *signature;
      continue;
    }
    if (std::string problem = TimeProblem(*signature, now); !problem.empty()) {
      found.problem = std::move(problem);
      continue;
    }
    if (!found.newest || found.newest->created <= signature->created) found.newest = *signature;
  }
  // Section 5.2.1.13: a user id may be certified again after it was revoked; a key stays revoked.
  const bool certified_again = kind == Kind::kUserId && revocation && found.newest &&
                               found.newest->created > revocation->created;
  if (revocation && !certified_again) found.revocation = RevocationWords(*revocation);
  return found;
}

}  // namespace mig::openpgp
