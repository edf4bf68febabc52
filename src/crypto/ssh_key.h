// SSH public keys of the two types that sign for mig: plain Ed25519 (RFC 8709) and Ed25519 on a
// FIDO token (OpenSSH PROTOCOL.u2f). Their blob, their line ("ssh-ed25519 AAAA… comment"), and how
// both stand in documents: type and bytes. Signatures are crypto/sshsig.h.
#pragma once

#include <string>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::ssh {

inline constexpr std::string_view kEd25519Type = "ed25519";
inline constexpr std::string_view kSkEd25519Type = "sk-ed25519";

// A key as documents name it: `ed25519` is 32 bytes; `sk-ed25519` is 32 bytes and then the
// application that the token binds its signatures to ("ssh:"), 1..255 bytes.
struct Key {
  std::string type;
  Bytes key;

  BytesView Raw() const { return BytesView(key).substr(0, 32); }
  BytesView Application() const;  // empty for a plain key
  bool operator==(const Key&) const = default;
};

// Error: kUnsupported for another type; kInvalid for a key of the wrong length.
Expected<Key> CheckKey(std::string_view type, BytesView key);

// "ssh-ed25519" or "sk-ssh-ed25519@openssh.com". Requires: CheckKey(key.type, key.key).
std::string_view AlgorithmOf(const Key& key);

// What SSH calls a key blob. Requires: CheckKey(key.type, key.key).
Bytes EncodeKeyBlob(const Key& key);
// Errors: kMalformed; kUnsupported, naming the type, for one that is neither.
Expected<Key> DecodeKeyBlob(BytesView blob);

// "SHA256:…", as ssh-keygen -l and ssh-add -l print it.
std::string Fingerprint(BytesView key_blob);

struct PublicLine {
  Key key;
  std::string comment;  // what stands behind the key: often user@host; may be empty
};

// One line of a .pub file or of `ssh-add -L`. Errors: kMalformed; kUnsupported for keys of other
// types, and for lines of authorized_keys that begin with options.
Expected<PublicLine> ReadPublicLine(std::string_view line);
// Without its line end. Requires: CheckKey; `comment` has no line end.
std::string WritePublicLine(const Key& key, std::string_view comment);

// Whether a text begins as such a line, so that an error about it should come from here.
bool LooksLikePublicLine(std::string_view text);

}  // namespace mig::ssh
