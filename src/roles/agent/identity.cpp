#include "roles/agent/identity.h"

#include "crypto/certificate.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "roles/agent/crash_points.h"
#include "util/clock.h"
#include "util/log.h"

namespace mig::agent {
namespace {

constexpr unsigned kSecretMode = 0600;
constexpr std::size_t kMaxKeyFileBytes = 64 << 10;

}  // namespace

Identity::Identity(SecretKey key)
    : key_(std::move(key)), id_(*AgentId::FromBytes(key_.public_key().Fingerprint())) {}

Expected<Identity> Identity::LoadOrMake(const AgentConfig& config, const std::string& name) {
  auto text = os::ReadFile(config.KeyFile(), kMaxKeyFileBytes);
  if (text) {
    auto file = ReadKeyFile(*text, "");
    WipeBytes(*text);
    if (!file) return std::move(file).error().During(config.KeyFile().string());
    return Identity(std::move(file->secret));
  }
  if (text.error().code() != Errc::kNotFound) return std::move(text).error();
  // A machine may be called what no key can be.
  KeyFile made{IsKeyName(name) ? name : "mig agent", Now(), SecretKey::Generate()};
  auto written = WriteKeyFile(made, "");
  if (!written) return std::move(written).error();
  Crash("agent.key.before");
  auto stored = os::WriteNewFile(config.KeyFile(), *written, kSecretMode);
  WipeBytes(*written);
  if (!stored) return std::move(stored).error();
  Crash("agent.key.stored");
  return Identity(std::move(made.secret));
}

Bytes Identity::Sign(std::string_view payload_type, Bytes payload) const {
  return EncodeEnvelope(Seal(payload_type, std::move(payload), key_));
}

Expected<std::string> LoadOrMakeTlsKey(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxKeyFileBytes);
  if (!text && text.error().code() != Errc::kNotFound) return text;
  if (text) {
    // The name does not matter here: whether anything can be signed with it does.
    auto usable = MakeCertificateRequest(*text, "mig");
    if (usable) return text;
    // Nobody knows an agent by this key, so another one does as well.
    log::Warning("the TLS key is of no use; another one is made",
                 {{"file", file.string()}, {"reason", usable.error().message()}});
  }
  auto made = MakeP256Key();
  if (!made) return made;
  Crash("agent.tls_key.before");
  if (auto stored = os::WriteFileAtomically(file, *made, kSecretMode); !stored) {
    return std::move(stored).error();
  }
  Crash("agent.tls_key.stored");
  return made;
}

}  // namespace mig::agent
