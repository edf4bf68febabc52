#include "crypto/sshsig.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/ssh_wire.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::sshsig {
namespace {

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxFieldBytes = 1024;
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
constexpr std::size_t kArmourColumns = 70;

std::string_view NameOf(Hash hash) { return hash == Hash::kSha256 ? "sha256" : "sha512"; }

Bytes HashOf(BytesView message, Hash hash) {
  Digest digest(hash == Hash::kSha256 ? DigestKind::kSha256 : DigestKind::kSha512);
  digest.Update(message);
  return digest.Finish();
}

void AppendNumbers(Bytes& out, const Blob& blob) {
  out += static_cast<char>(blob.flags);
  ssh::AppendUint32(out, blob.counter);
}

// The inner signature: string algorithm, string signature, and for a token flags and counter.
// Reads it into `out`, whose key is there already.
Expected<void> ReadSignature(BytesView bytes, Blob& out) {
  ssh::Reader in(bytes, "SSH signature");
  const BytesView algorithm = in.String("algorithm", 64);
  if (in.ok() && algorithm != ssh::AlgorithmOf(out.key)) {
    in.Fail(Errc::kInvalid, "is of the type `" + EscapeForTerminal(algorithm) +
                                "`, and the key is `" + std::string(ssh::AlgorithmOf(out.key)) +
                                "`");
  }
  out.signature = Bytes(in.String("signature", kSignatureBytes));
  if (out.signature.size() != kSignatureBytes) {
    in.Fail(Errc::kMalformed, "has not 64 bytes");
  }
  if (out.key.type == ssh::kSkEd25519Type) {
    out.flags = in.Byte("flags");
    out.counter = in.Uint32("counter");
  }
  return in.Finish();
}

}  // namespace

bool IsBlob(BytesView bytes) { return bytes.starts_with(kMagic); }

bool IsArmoured(std::string_view text) { return text.starts_with(kBegin); }

Expected<Blob> Decode(BytesView bytes) {
  if (bytes.size() > kMaxBlobBytes) {
    return Error(Errc::kMalformed,
                 "SSH signature: is longer than " + std::to_string(kMaxBlobBytes) + " bytes");
  }
  ssh::Reader in(bytes, "SSH signature");
  if (in.Raw("beginning", kMagic.size()) != kMagic) {
    in.Fail(Errc::kMalformed, "does not begin with " + std::string(kMagic));
  }
  const std::uint32_t version = in.Uint32("version");
  if (version != kVersion) {
    in.Fail(Errc::kUnsupported, "its version is " + std::to_string(version) + ", not 1");
  }
  const BytesView key_blob = in.String("public key", kMaxFieldBytes);
  const BytesView name_space = in.String("namespace", kMaxFieldBytes);
  if (name_space != kNamespace) {
    in.Fail(Errc::kUnsupported, "its namespace is `" + EscapeForTerminal(name_space.substr(0, 64)) +
                                    "`, not `mig`: sign with ssh-keygen -Y sign -n mig");
  }
  if (!in.String("reserved field", kMaxFieldBytes).empty()) {
    in.Fail(Errc::kUnsupported, "its reserved field is not empty");
  }
  const BytesView hash = in.String("hash's name", 64);
  if (hash != NameOf(Hash::kSha256) && hash != NameOf(Hash::kSha512)) {
    in.Fail(Errc::kUnsupported,
            "its hash is `" + EscapeForTerminal(hash) + "`, neither sha256 nor sha512");
  }
  const BytesView signature = in.String("signature", kMaxFieldBytes);
  if (auto end = in.Finish(); !end) return std::move(end).error();

  auto key = ssh::DecodeKeyBlob(key_blob);
  if (!key) return std::move(key).error().During("SSH signature");
  Blob blob;
  blob.key = std::move(*key);
  blob.hash = hash == NameOf(Hash::kSha256) ? Hash::kSha256 : Hash::kSha512;
  if (auto read = ReadSignature(signature, blob); !read) return std::move(read).error();
  return blob;
}

Bytes Encode(const Blob& blob) {
  assert(blob.signature.size() == kSignatureBytes && "callers have a whole signature");
  Bytes signature;
  ssh::AppendString(signature, ssh::AlgorithmOf(blob.key));
  ssh::AppendString(signature, blob.signature);
  if (blob.key.type == ssh::kSkEd25519Type) AppendNumbers(signature, blob);

  Bytes bytes(kMagic);
  ssh::AppendUint32(bytes, kVersion);
  ssh::AppendString(bytes, ssh::EncodeKeyBlob(blob.key));
  ssh::AppendString(bytes, kNamespace);
  ssh::AppendString(bytes, {});  // reserved
  ssh::AppendString(bytes, NameOf(blob.hash));
  ssh::AppendString(bytes, signature);
  return bytes;
}

Expected<Bytes> RemoveArmour(std::string_view text) {
  const auto malformed = [](std::string_view why) {
    return Error(Errc::kMalformed, "SSH signature: " + std::string(why));
  };
  if (!IsArmoured(text)) return malformed("does not begin with `" + std::string(kBegin) + "`");
  text.remove_prefix(kBegin.size());
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) {
    return malformed("there is no line `" + std::string(kEnd) + "`");
  }
  if (!Trim(text.substr(end + kEnd.size())).empty()) return malformed("something follows its end");
  std::string encoded;
  for (const char c : text.substr(0, end)) {
    if (c != '\n' && c != '\r') encoded += c;
  }
  if (encoded.size() > kMaxBlobBytes * 4 / 3 + 4) {
    return Error(Errc::kFull,
                 "SSH signature: is longer than " + std::to_string(kMaxBlobBytes) + " bytes");
  }
  auto blob = DecodeBase64(encoded);
  if (!blob) return malformed("what stands between its lines is not base64");
  return blob;
}

std::string AddArmour(BytesView blob) {
  const std::string encoded = EncodeBase64(blob);
  std::string text(kBegin);
  text += '\n';
  for (std::size_t at = 0; at < encoded.size(); at += kArmourColumns) {
    text.append(encoded, at, kArmourColumns).append("\n");
  }
  return text.append(kEnd).append("\n");
}

Bytes ToBeSigned(BytesView message, Hash hash) {
  Bytes bytes(kMagic);
  ssh::AppendString(bytes, kNamespace);
  ssh::AppendString(bytes, {});  // reserved
  ssh::AppendString(bytes, NameOf(hash));
  ssh::AppendString(bytes, HashOf(message, hash));
  return bytes;
}

Expected<Bytes> Assemble(const ssh::Key& key, Hash hash, BytesView agent_signature) {
  Blob blob;
  blob.key = key;
  blob.hash = hash;
  if (auto read = ReadSignature(agent_signature, blob); !read) return std::move(read).error();
  if (key.type == ssh::kSkEd25519Type && (blob.flags & kUserPresent) == 0) {
    return Error(Errc::kInvalid,
                 "SSH signature: the token signed without being touched (a key made with "
                 "no-touch-required), which no agent accepts");
  }
  return Encode(blob);
}

Expected<void> Verify(BytesView bytes, BytesView message, std::string_view key_type,
                      BytesView key) {
  auto expected = ssh::CheckKey(key_type, key);
  if (!expected) return std::move(expected).error();
  auto blob = Decode(bytes);
  if (!blob) return std::move(blob).error();
  // Type, bytes and application: a signature for another application is one by another key.
  if (blob->key != *expected) {
    return Error(Errc::kDenied, "SSH signature: is by another key");
  }
  Bytes signed_bytes = ToBeSigned(message, blob->hash);
  if (blob->key.type == ssh::kSkEd25519Type) {
    if ((blob->flags & kUserPresent) == 0) {
      return Error(Errc::kDenied, "SSH signature: the token signed without being touched");
    }
    // PROTOCOL.u2f: SHA256(application), flags, counter, SHA256(what SSH would have signed).
    Bytes frame = Sha256(blob->key.Application());
    AppendNumbers(frame, *blob);
    frame += Sha256(signed_bytes);
    signed_bytes = std::move(frame);
  }
  auto public_key = PublicKey::FromBytes(blob->key.Raw());
  if (!public_key) return std::move(public_key).error();
  if (!public_key->Verify(signed_bytes, blob->signature)) {
    return Error(Errc::kDenied, "SSH signature: does not fit these bytes");
  }
  return {};
}

}  // namespace mig::sshsig
