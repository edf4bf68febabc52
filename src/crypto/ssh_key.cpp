#include "crypto/ssh_key.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/ssh_wire.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::ssh {
namespace {

constexpr std::string_view kPlainAlgorithm = "ssh-ed25519";
constexpr std::string_view kSkAlgorithm = "sk-ssh-ed25519@openssh.com";
constexpr std::size_t kMaxAlgorithmBytes = 64;
constexpr std::size_t kMaxApplicationBytes = 255;
constexpr std::size_t kMaxLineBytes = 16 * 1024;  // an RSA key of 16384 bits has 3 KiB of base64

// What OpenSSH calls other keys; for messages and LooksLikePublicLine.
constexpr std::array<std::string_view, 4> kAlgorithmStarts = {"ssh-", "sk-ssh-", "ecdsa-sha2-",
                                                              "sk-ecdsa-"};

Error OtherAlgorithm(std::string_view algorithm) {
  return Error(Errc::kUnsupported,
               "`" + EscapeForTerminal(algorithm) +
                   "`: of SSH keys mig takes ssh-ed25519 and sk-ssh-ed25519@openssh.com (make one "
                   "with: ssh-keygen -t ed25519)");
}

}  // namespace

BytesView Key::Application() const {
  if (type != kSkEd25519Type) return {};
  return BytesView(key).substr(PublicKey::kBytes);
}

Expected<Key> CheckKey(std::string_view type, BytesView key) {
  if (type == kEd25519Type) {
    if (key.size() != PublicKey::kBytes) {
      return Error(Errc::kInvalid,
                   "an ed25519 key has 32 bytes, not " + std::to_string(key.size()));
    }
  } else if (type == kSkEd25519Type) {
    if (key.size() <= PublicKey::kBytes || key.size() > PublicKey::kBytes + kMaxApplicationBytes) {
      return Error(Errc::kInvalid,
                   "an sk-ed25519 key has 32 bytes and then 1 to 255 of application, not " +
                       std::to_string(key.size()) + " in all");
    }
  } else {
    return Error(Errc::kUnsupported,
                 "`" + EscapeForTerminal(type.substr(0, 64)) + "` is not a type of SSH key");
  }
  return Key{std::string(type), Bytes(key)};
}

std::string_view AlgorithmOf(const Key& key) {
  return key.type == kSkEd25519Type ? kSkAlgorithm : kPlainAlgorithm;
}

Bytes EncodeKeyBlob(const Key& key) {
  Bytes blob;
  AppendString(blob, AlgorithmOf(key));
  AppendString(blob, key.Raw());
  if (key.type == kSkEd25519Type) AppendString(blob, key.Application());
  return blob;
}

Expected<Key> DecodeKeyBlob(BytesView blob) {
  Reader in(blob, "SSH public key");
  const BytesView algorithm = in.String("algorithm", kMaxAlgorithmBytes);
  const bool on_token = algorithm == kSkAlgorithm;
  if (in.ok() && !on_token && algorithm != kPlainAlgorithm) return OtherAlgorithm(algorithm);
  const BytesView raw = in.String("key", PublicKey::kBytes);
  if (raw.size() != PublicKey::kBytes) in.Fail(Errc::kMalformed, "the key has not 32 bytes");
  Key key{std::string(on_token ? kSkEd25519Type : kEd25519Type), Bytes(raw)};
  if (on_token) {
    const BytesView application = in.String("application", kMaxApplicationBytes);
    if (application.empty()) in.Fail(Errc::kMalformed, "the application is empty");
    key.key.append(application);
  }
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return key;
}

std::string Fingerprint(BytesView key_blob) {
  std::string text = EncodeBase64(Sha256(key_blob));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

bool LooksLikePublicLine(std::string_view text) {
  return std::any_of(kAlgorithmStarts.begin(), kAlgorithmStarts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

Expected<PublicLine> ReadPublicLine(std::string_view line) {
  const auto malformed = [](std::string_view why) {
    return Error(Errc::kMalformed, "SSH public key: " + std::string(why) +
                                       "; a line `ssh-ed25519 AAAA… COMMENT` expected");
  };
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > kMaxLineBytes) return malformed("the line is too long");
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return malformed("there is no key behind the first word");
  const std::string_view algorithm = line.substr(0, space);
  if (algorithm != kPlainAlgorithm && algorithm != kSkAlgorithm) {
    if (LooksLikePublicLine(algorithm)) {
      return OtherAlgorithm(algorithm).During("SSH public key");
    }
    return Error(Errc::kUnsupported,
                 "SSH public key: `" + EscapeForTerminal(algorithm.substr(0, 64)) +
                     "` is not a type of key; options of authorized_keys must be taken off");
  }
  line = Trim(line.substr(space + 1));
  const std::size_t end = std::min(line.find(' '), line.size());
  auto blob = DecodeBase64(line.substr(0, end));
  if (!blob) return malformed("the key is not base64");
  auto key = DecodeKeyBlob(*blob);
  if (!key) return std::move(key).error();
  if (AlgorithmOf(*key) != algorithm) {
    return malformed("the first word is not the type of the key behind it");
  }
  return PublicLine{std::move(*key), std::string(Trim(line.substr(end)))};
}

std::string WritePublicLine(const Key& key, std::string_view comment) {
  std::string line(AlgorithmOf(key));
  line.append(" ").append(EncodeBase64(EncodeKeyBlob(key)));
  if (!comment.empty()) line.append(" ").append(comment);
  return line;
}

}  // namespace mig::ssh
