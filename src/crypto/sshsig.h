// SSHSIG: the signatures of `ssh-keygen -Y sign` and of ssh-agent (OpenSSH PROTOCOL.sshsig), by
// plain Ed25519 keys and by those on FIDO tokens (PROTOCOL.u2f). Only what mig itself asks for is
// taken: version 1, namespace `mig`, nothing reserved, SHA-256 or SHA-512, no byte too many. So a
// signature that somebody made for git or for a file is never one for an action.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/ssh_key.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::sshsig {

// ssh-keygen -Y sign -n mig
inline constexpr std::string_view kNamespace = "mig";
// A signature of a key on a token with the longest application has under 700 bytes.
inline constexpr std::size_t kMaxBlobBytes = 4096;

enum class Hash { kSha256, kSha512 };

// Whether the bytes begin as a binary blob, or a text as an armoured one.
bool IsBlob(BytesView bytes);
bool IsArmoured(std::string_view text);

// What a blob says. Nothing of it is proven until Verify.
struct Blob {
  ssh::Key key;  // who claims to have signed
  Hash hash = Hash::kSha512;
  Bytes signature;            // 64 bytes
  std::uint8_t flags = 0;     // of a token: kUserPresent, kUserVerified
  std::uint32_t counter = 0;  // of a token: how often it has signed
  bool operator==(const Blob&) const = default;
};
inline constexpr std::uint8_t kUserPresent = 0x01;
inline constexpr std::uint8_t kUserVerified = 0x04;

// Errors: kMalformed; kUnsupported for another namespace, version, hash or type of key.
Expected<Blob> Decode(BytesView blob);
// Requires: ssh::CheckKey(blob.key…), a signature of 64 bytes.
Bytes Encode(const Blob& blob);

// Between the armour lines: base64. Errors: kMalformed; kFull past kMaxBlobBytes.
Expected<Bytes> RemoveArmour(std::string_view text);
std::string AddArmour(BytesView blob);

// What is signed in place of the message: magic, namespace, hash name and hash. An ssh-agent is
// asked to sign exactly this; a token adds its own frame to it.
Bytes ToBeSigned(BytesView message, Hash hash);

// Makes the blob from what an ssh-agent answered to ToBeSigned: string algorithm, string signature,
// and flags and counter of a token. Nothing is verified. Errors: kMalformed; kInvalid when the
// answer is not by a key of that type, or nobody touched the token.
Expected<Bytes> Assemble(const ssh::Key& key, Hash hash, BytesView agent_signature);

// Whether `blob` (binary) is a signature over `message` by that key of a document (ssh_key.h).
// Errors: as Decode, kUnsupported for another type of key; kDenied: by another key, no presence of
// a person at the token, or simply not valid.
Expected<void> Verify(BytesView blob, BytesView message, std::string_view key_type, BytesView key);

}  // namespace mig::sshsig
