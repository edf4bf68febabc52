#include "crypto/key_file.h"

#include <sodium.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <optional>

#include "crypto/sodium_start.h"
#include "crypto/wiped.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig {
namespace {

// Scanners for leaked secrets look for "-----BEGIN … PRIVATE KEY-----".
constexpr std::string_view kBegin = "-----BEGIN MIG PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END MIG PRIVATE KEY-----";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kInClear = "none";
constexpr std::string_view kEncrypted = "argon2id-xchacha20poly1305";
constexpr std::size_t kMaxFileBytes = 4096;
constexpr std::size_t kMaxKeyNameBytes = 256;

// A file is read before anything vouches for it, so what it may cost is bounded.
constexpr std::uint64_t kMaxMemory = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxPasses = 16;

constexpr std::size_t kSaltBytes = crypto_pwhash_SALTBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kSeedBytes = crypto_sign_SEEDBYTES;

unsigned char* Unsigned(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* Unsigned(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

struct Derivation {
  std::uint64_t passes = crypto_pwhash_OPSLIMIT_INTERACTIVE;
  std::uint64_t memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;
  Bytes salt;
};

// False: the system has not the memory.
bool DeriveKey(std::string_view passphrase, const Derivation& derivation, Wiped& key) {
  return crypto_pwhash(Unsigned(key.bytes), key.bytes.size(), passphrase.data(), passphrase.size(),
                       Unsigned(derivation.salt), derivation.passes,
                       static_cast<std::size_t>(derivation.memory),
                       crypto_pwhash_ALG_ARGON2ID13) == 0;
}

Error NoMemory(std::uint64_t memory) {
  return Error(Errc::kFull, "key file: the passphrase needs " + std::to_string(memory >> 20) +
                                " MiB of memory, which this system does not give");
}

void AddLine(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\n");
}

// The file as its lines say it, nothing decrypted.
struct Parsed {
  std::string name;
  UtcTime created;
  PublicKey public_key;
  std::optional<Derivation> derivation;  // none: in clear
  Bytes nonce;
  std::string_view before_secret;  // what the encryption vouches for as well
  Bytes secret;                    // seed, or seed and tag encrypted
};

// Takes "name: value\n" line by line from a text, in the one order there is.
class Lines {
 public:
  explicit Lines(std::string_view text) : whole_(text), rest_(text) {}

  void Expect(std::string_view line) {
    if (Next() != line) Fail("`" + std::string(line) + "` expected");
  }
  std::string_view Value(std::string_view name) {
    std::string_view line = Next();
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(": ")) {
      Fail("`" + std::string(name) + ": …` expected");
      return {};
    }
    return line.substr(name.size() + 2);
  }
  Bytes Base64(std::string_view name, std::size_t size) {
    auto bytes = DecodeBase64(Value(name));
    if (!bytes || bytes->size() != size) {
      Fail(std::string(name) + " is not the base64 of " + std::to_string(size) + " bytes");
      return Bytes(size, '\0');
    }
    return std::move(*bytes);
  }
  std::uint64_t Number(std::string_view name, std::uint64_t min, std::uint64_t max) {
    const std::string_view digits = Value(name);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc() || end != digits.data() + digits.size() || number < min ||
        number > max) {
      Fail(std::string(name) + " is not " + std::to_string(min) + ".." + std::to_string(max));
      return min;
    }
    return number;
  }
  std::string_view Before() const { return whole_.substr(0, whole_.size() - rest_.size()); }
  bool AtEnd() const { return rest_.empty(); }
  void Fail(std::string message) {
    if (!error_) {
      error_.emplace(Errc::kMalformed,
                     "key file: line " + std::to_string(line_) + ": " + std::move(message));
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::string_view Next() {
    ++line_;
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) {
      Fail("ends too early");
      rest_ = {};
      return {};
    }
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  std::string_view whole_;
  std::string_view rest_;
  std::size_t line_ = 0;
  std::optional<Error> error_;
};

Expected<Parsed> Parse(std::string_view text) {
  if (text.size() > kMaxFileBytes || !text.starts_with(kBegin)) {
    return Error(Errc::kMalformed,
                 "key file: is not one: it starts with `" + std::string(kBegin) + "`");
  }
  Lines lines(text);
  Parsed parsed;
  lines.Expect(kBegin);
  if (lines.Value("version") != kVersion) lines.Fail("version is not 1: a newer mig wrote it");
  parsed.name = lines.Value("name");
  if (!IsKeyName(parsed.name)) lines.Fail("name is not one plain line");
  const auto created = ParseRfc3339(lines.Value("created"));
  if (created) {
    parsed.created = *created;
  } else {
    lines.Fail("created: " + created.error().message());
  }
  parsed.public_key = *PublicKey::FromBytes(lines.Base64("public", PublicKey::kBytes));
  const std::string_view protection = lines.Value("protection");
  if (protection == kEncrypted) {
    Derivation& derivation = parsed.derivation.emplace();
    derivation.passes = lines.Number("passes", crypto_pwhash_OPSLIMIT_MIN, kMaxPasses);
    derivation.memory = lines.Number("memory", crypto_pwhash_MEMLIMIT_MIN, kMaxMemory);
    derivation.salt = lines.Base64("salt", kSaltBytes);
    parsed.nonce = lines.Base64("nonce", kNonceBytes);
  } else if (protection != kInClear) {
    lines.Fail("protection is neither `" + std::string(kEncrypted) + "` nor `" +
               std::string(kInClear) + "`");
  }
  parsed.before_secret = lines.Before();
  parsed.secret = lines.Base64("secret", parsed.derivation ? kSeedBytes + kTagBytes : kSeedBytes);
  lines.Expect(kEnd);
  if (!lines.AtEnd()) lines.Fail("something follows");
  if (lines.error()) {
    WipeBytes(parsed.secret);
    return *lines.error();
  }
  return parsed;
}

}  // namespace

bool IsKeyName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxKeyNameBytes && IsUtf8(name) && name.front() != ' ' &&
         name.back() != ' ' && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

Expected<std::string> WriteKeyFile(const KeyFile& file, std::string_view passphrase) {
  if (!IsKeyName(file.name)) {
    return Error(Errc::kInvalid, "`" + EscapeForTerminal(file.name.substr(0, 64)) +
                                     "` is not a name for a key: one line of 1..256 bytes");
  }
  StartSodium();
  std::string text(kBegin);
  text += '\n';
  AddLine(text, "version", kVersion);
  AddLine(text, "name", file.name);
  AddLine(text, "created", FormatRfc3339(file.created));
  AddLine(text, "public", EncodeBase64(file.secret.public_key().View()));
  const Wiped seed(file.secret.Seed());
  if (passphrase.empty()) {
    AddLine(text, "protection", kInClear);
    const Wiped encoded(EncodeBase64(seed.bytes));
    AddLine(text, "secret", encoded.bytes);
  } else {
    Derivation derivation;
    derivation.salt = RandomBytes(kSaltBytes);
    const Bytes nonce = RandomBytes(kNonceBytes);
    Wiped key(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    if (!DeriveKey(passphrase, derivation, key)) return NoMemory(derivation.memory);
    AddLine(text, "protection", kEncrypted);
    AddLine(text, "passes", std::to_string(derivation.passes));
    AddLine(text, "memory", std::to_string(derivation.memory));
    AddLine(text, "salt", EncodeBase64(derivation.salt));
    AddLine(text, "nonce", EncodeBase64(nonce));
    Bytes sealed(kSeedBytes + kTagBytes, '\0');
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        Unsigned(sealed), nullptr, Unsigned(BytesView(seed.bytes)), seed.bytes.size(),
        Unsigned(BytesView(text)), text.size(), nullptr, Unsigned(nonce), Unsigned(key.bytes));
    AddLine(text, "secret", EncodeBase64(sealed));
  }
  text.append(kEnd).append("\n");
  return text;
}

Expected<bool> NeedsPassphrase(std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed) return std::move(parsed).error();
  WipeBytes(parsed->secret);
  return parsed->derivation.has_value();
}

Expected<KeyOwner> PublicHalf(std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed) return std::move(parsed).error();
  WipeBytes(parsed->secret);
  return KeyOwner{parsed->public_key, std::move(parsed->name)};
}

Expected<KeyFile> ReadKeyFile(std::string_view text, std::string_view passphrase) {
  auto parsed = Parse(text);
  if (!parsed) return std::move(parsed).error();
  StartSodium();
  Wiped seed(std::move(parsed->secret));
  if (parsed->derivation) {
    Wiped key(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    if (!DeriveKey(passphrase, *parsed->derivation, key)) {
      return NoMemory(parsed->derivation->memory);
    }
    Wiped opened(kSeedBytes);
    const int code = crypto_aead_xchacha20poly1305_ietf_decrypt(
        Unsigned(opened.bytes), nullptr, nullptr, Unsigned(BytesView(seed.bytes)),
        seed.bytes.size(), Unsigned(parsed->before_secret), parsed->before_secret.size(),
        Unsigned(parsed->nonce), Unsigned(key.bytes));
    if (code != 0) {
      return Error(Errc::kDenied, "key file: wrong passphrase, or the file was altered");
    }
    std::swap(seed.bytes, opened.bytes);
  }
  auto secret = SecretKey::FromSeed(seed.bytes);
  if (!secret) return std::move(secret).error().During("key file");
  // Shows a damaged file in clear, which no tag protects.
  if (secret->public_key() != parsed->public_key) {
    return Error(Errc::kDenied, "key file: the secret does not belong to the public key");
  }
  return KeyFile{std::move(parsed->name), parsed->created, std::move(*secret)};
}

}  // namespace mig
