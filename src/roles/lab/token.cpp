#include "roles/lab/token.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "proto/access.h"
#include "proto/grant.h"
#include "roles/lab/deployment.h"

namespace mig::lab {
namespace {

constexpr std::chrono::hours kValidity{10 * 365 * 24};
constexpr std::size_t kSecretBytes = 32;

}  // namespace

Expected<LabToken> MakeToken(const LabFiles& files, const std::string& api, UtcTime now) {
  auto org = LoadOrg(files);
  if (!org) return std::move(org).error();
  auto ca = os::ReadFile(files.Certificate("servers-ca"));
  if (!ca) return std::move(ca).error();
  auto pin = SpkiPin(*ca);
  if (!pin) return std::move(pin).error();
  auto key_text = os::ReadFile(files.Key("investigator"));
  if (!key_text) return std::move(key_text).error();
  auto key = ReadKeyFile(*key_text, "");
  if (!key) return std::move(key).error().During(files.Key("investigator").string());

  EnrolToken token;
  token.api = api;
  token.pin = std::move(*pin);
  token.org = *org;
  token.secret = RandomBytes(kSecretBytes);
  Grant grant;
  grant.org = *org;
  grant.token = Sha256(token.secret);
  grant.tags = {{"lab", "true"}};
  grant.uses = 10 * kMaxAgents;
  grant.issued = now;
  grant.expires = now + kValidity;
  return LabToken{WriteEnrolToken(token),
                  EncodeEnvelope(Seal(kGrantType, EncodeGrant(grant), key->secret))};
}

}  // namespace mig::lab
