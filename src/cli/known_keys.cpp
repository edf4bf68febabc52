#include "cli/known_keys.h"

#include <algorithm>

#include "cli/gpg.h"
#include "cli/key_holder.h"
#include "cli/ssh_agent.h"
#include "crypto/key_file.h"
#include "crypto/public_key_line.h"
#include "crypto/verifying_key.h"
#include "os/files.h"
#include "proto/ids.h"
#include "util/text.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

// Fills in the id, or why there is none.
void Identify(KnownKey& known) {
  const auto key = VerifyingKey::From(known.type, known.key);
  if (!key) {
    if (known.why_not.empty()) known.why_not = key.error().message();
    return;
  }
  known.id = KeyId::FromBytes(key->Fingerprint()).value().Text();
}

Expected<KnownKey> ReadKeyOfFile(const fs::path& file, const Environment& environment) {
  auto text = os::ReadFile(file, kMaxKeyFileBytes);
  if (!text) {
    if (text.error().code() != Errc::kNotFound) return std::move(text).error();
    return NoKeyIn(file);
  }
  auto owner = PublicHalf(*text);
  const auto locked = NeedsPassphrase(*text);
  WipeBytes(*text);
  if (!owner) return std::move(owner).error().During(file.string());
  KnownKey known;
  known.choice.file = fs::absolute(file).lexically_normal();
  known.type = "ed25519";
  known.key = Bytes(owner->key.View());
  known.name = owner->name;
  known.protection = locked && *locked ? "passphrase" : "none";
  if (known.protection == "passphrase") {
    const auto held = FindHolder(*owner, file.string(), environment);
    if (held && *held) known.protection = "unlocked";
  }
  if (auto is_private = CheckPrivate(file); !is_private) known.why_not = "others can read it";
  Identify(known);
  return known;
}

KnownKey FromSshIdentity(const ssh::AgentIdentity& identity) {
  KnownKey known;
  known.choice = {KeyChoice::Kind::kSsh, {}, ssh::Fingerprint(identity.key_blob)};
  known.name = IsKeyName(identity.comment) ? identity.comment : known.choice.id;
  known.protection = "ssh-agent";
  auto key = ssh::DecodeKeyBlob(identity.key_blob);
  if (!key) {
    known.why_not = "neither ssh-ed25519 nor sk-ssh-ed25519";
    return known;
  }
  known.type = key->type;
  known.key = key->key;
  if (key->type == ssh::kSkEd25519Type) known.protection = "token";
  Identify(known);
  return known;
}

KnownKey FromGpgKey(const GpgKey& key) {
  KnownKey known;
  known.choice = {KeyChoice::Kind::kGpg, {}, key.fingerprint};
  known.name = IsKeyName(key.user_id) ? key.user_id : key.fingerprint;
  known.protection = key.on_card() ? "card" : "gpg-agent";
  known.why_not = WhyUnusable(key);
  if (!known.why_not.empty()) return known;
  auto signer = SignerKeyOf(key);
  if (!signer) {
    known.why_not = signer.error().message();
    return known;
  }
  known.type = signer->type;
  known.key = signer->key;
  Identify(known);
  return known;
}

void AddFiles(const std::optional<KeyChoice>& configured, const Environment& environment,
              KnownKeys& found) {
  std::vector<fs::path> files;
  auto folder = UserConfigFolder(environment);
  if (folder) {
    std::error_code error;
    for (fs::directory_iterator entry(*folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".key") files.push_back(entry->path());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      found.remarks.push_back(folder->string() + ": " + error.message());
    }
  } else {
    found.remarks.push_back(folder.error().message());
  }
  if (configured && configured->kind == KeyChoice::Kind::kFile) {
    files.push_back(fs::absolute(configured->file).lexically_normal());
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  for (const fs::path& file : files) {
    auto known = ReadKeyOfFile(file, environment);
    if (known) {
      found.keys.push_back(std::move(*known));
    } else {
      found.remarks.push_back(known.error().message());
    }
  }
}

}  // namespace

std::string PublicLineOf(const KnownKey& key) {
  return WritePublicLine({key.type, key.key, key.name});
}

KnownKeys FindKeys(const std::optional<KeyChoice>& configured, const Environment& environment) {
  KnownKeys found;
  AddFiles(configured, environment, found);

  auto agent = SshAgent::Connect(environment);
  auto identities =
      agent ? agent->List() : Expected<std::vector<ssh::AgentIdentity>>(std::move(agent).error());
  if (identities) {
    for (const auto& identity : *identities) found.keys.push_back(FromSshIdentity(identity));
  } else {
    found.remarks.push_back(identities.error().message());
  }

  auto gpg = ListGpgKeys(environment);
  if (gpg) {
    for (const GpgKey& key : *gpg) found.keys.push_back(FromGpgKey(key));
  } else {
    found.remarks.push_back(gpg.error().message());
  }
  return found;
}

Expected<KnownKey> LookUpKey(const KeyChoice& choice, const Environment& environment) {
  if (choice.kind == KeyChoice::Kind::kFile) {
    auto known = ReadKeyOfFile(choice.file, environment);
    if (!known || known->why_not.empty()) return known;
    // Says what to do.
    auto is_private = CheckPrivate(choice.file);
    if (!is_private) return std::move(is_private).error();
    return Error(Errc::kInvalid, choice.file.string() + ": " + known->why_not);
  }
  if (choice.kind == KeyChoice::Kind::kGpg) {
    auto keys = ListGpgKeys(environment);
    if (!keys) return std::move(keys).error().During(KeyChoiceText(choice));
    auto key = ChooseGpgKey(*keys, choice.id);
    if (!key) return std::move(key).error().During(KeyChoiceText(choice));
    return FromGpgKey(*key);
  }
  auto signer = OpenSshSigner(choice.id, environment);
  if (!signer) return std::move(signer).error();
  const SignerKey& key = (*signer)->key();
  return FromSshIdentity({ssh::EncodeKeyBlob({key.type, key.key}), key.name});
}

Expected<KeyChoice> OwnKey(const ConfigOptions& options, const Environment& environment) {
  if (!options.key.empty()) return ParseKeyChoice(options.key, fs::current_path());
  if (auto config = FindClientConfig(options, environment)) return config->key;
  if (const std::string named = environment("MIG_KEY"); !named.empty()) {
    return ParseKeyChoice(named, fs::current_path());
  }
  auto folder = UserConfigFolder(environment);
  if (!folder) return std::move(folder).error();
  return KeyChoice{KeyChoice::Kind::kFile, *folder / "investigator.key", {}};
}

}  // namespace mig::cli
