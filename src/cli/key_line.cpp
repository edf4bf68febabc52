#include "cli/key_line.h"

#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "crypto/ssh_key.h"
#include "crypto/verifying_key.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kRsaPrefix = "mig-rsa ";
constexpr std::string_view kMigPrefix = "mig-ed25519 ";

Expected<KeyLine> ReadRsaLine(std::string_view line) {
  const std::string_view rest = line.substr(kRsaPrefix.size());
  const std::string_view base64 = rest.substr(0, rest.find(' '));
  auto der = DecodeBase64(base64);
  if (!der) return std::move(der).error();
  return KeyLine{{std::string(kRsaKey), std::move(*der)},
                 std::string(Trim(rest.substr(base64.size())))};
}

Expected<KeyLine> ReadAny(std::string_view line) {
  if (line.starts_with(kMigPrefix)) {
    auto read = ReadPublicLine(line);
    if (!read) return std::move(read).error();
    return KeyLine{{std::string(kEd25519Key), Bytes(read->key.View())}, read->name};
  }
  if (line.starts_with(kRsaPrefix)) return ReadRsaLine(line);
  if (ssh::LooksLikePublicLine(line)) {
    auto read = ssh::ReadPublicLine(line);
    if (!read) return std::move(read).error();
    return KeyLine{{read->key.type, read->key.key}, read->comment};
  }
  return Error(Errc::kMalformed,
               "`" + std::string(Utf8Prefix(line, 40)) +
                   "` is not a public line such as `mig-ed25519 BASE64 NAME` (mig key show), "
                   "`ssh-ed25519 BASE64 NAME` or `mig-rsa BASE64 NAME`");
}

}  // namespace

Expected<KeyLine> ReadKeyLine(std::string_view text) {
  auto line = ReadAny(Trim(text));
  if (!line) return line;
  // What could never verify anything is better refused here than on every agent.
  auto key = VerifyingKey::From(line->key.type, line->key.key);
  if (!key) return std::move(key).error().During("public line");
  return line;
}

std::string WriteKeyLine(const DocumentKey& key, std::string_view name) {
  if (key.type == kEd25519Key) {
    auto ed25519 = PublicKey::FromBytes(key.key);
    if (ed25519) return WritePublicLine(*ed25519, IsKeyName(name) ? name : "unnamed");
  }
  if (auto ssh_key = ssh::CheckKey(key.type, key.key)) return ssh::WritePublicLine(*ssh_key, name);
  return "mig-" + key.type + " " + EncodeBase64(key.key) + " " + std::string(name);
}

KeyId IdOf(const DocumentKey& key) { return KeyId::FromBytes(Sha256(MaterialOf(key))).value(); }

}  // namespace mig::cli
