// OpenPGP keys from outside, armoured or binary, public or secret.
#include <cstdint>

#include "crypto/openpgp_certificate.h"
#include "test/fuzz/require.h"
#include "util/text.h"

using namespace mig;
using namespace mig::openpgp;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const UtcTime kNow = *ParseRfc3339("2026-12-01T00:00:00Z");
  const auto all = ReadCertificates({reinterpret_cast<const char*>(data), size}, kNow);
  if (!all) return 0;
  Require(!all->empty() && all->size() <= kMaxCertificates, "one at least, and a bounded number");
  for (const Certificate& certificate : *all) {
    Require(!certificate.keys.empty() && certificate.keys.front().is_primary, "primary key first");
    for (const std::string& id : certificate.user_ids) Require(IsUtf8(id), "user ids are text");
    for (const CertificateKey& key : certificate.keys) {
      Require(!key.MaySign() || key.material, "what may sign has material");
      Require(!key.MaySign() || key.created <= kNow, "what may sign is not of the future");
      Require(!key.MaySign() || !key.expires || *key.expires > kNow, "nor expired");
      // What a passphrase may cost is for openpgp_secret_key.
      if (!key.secret || key.secret->NeedsPassphrase()) continue;
      const auto file = OpenSecret(certificate, key, "");
      if (file) {
        Require(key.MaySign() && IsKeyName(file->name), "what is opened may sign, and has a name");
        Require(file->secret.public_key() == *key.material->Ed25519(), "and is that key");
      }
    }
  }
  return 0;
}
