// SSH signatures and public keys in, armoured or binary: what is accepted is written as it was
// read, and nothing verifies under the key of somebody who signed nothing.
#include <cstdint>
#include <string_view>

#include "crypto/ed25519.h"
#include "crypto/ssh_key.h"
#include "crypto/sshsig.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  using fuzz::Require;
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  if (const auto line = ssh::ReadPublicLine(input)) {
    const auto again = ssh::ReadPublicLine(ssh::WritePublicLine(line->key, line->comment));
    Require(again && again->key == line->key, "a public line survives its text");
  }
  if (const auto key = ssh::DecodeKeyBlob(input)) {
    Require(ssh::EncodeKeyBlob(*key) == input, "a key blob has one form");
  }

  Bytes binary(input);
  if (const auto blob = sshsig::RemoveArmour(input)) {
    const auto again = sshsig::RemoveArmour(sshsig::AddArmour(*blob));
    Require(again && *again == *blob, "a blob survives its armour");
    binary = *blob;
  }
  const auto blob = sshsig::Decode(binary);
  if (!blob) return 0;
  Require(sshsig::Encode(*blob) == binary, "a blob has one form");
  static const SecretKey stranger = SecretKey::Generate();
  Require(!sshsig::Verify(binary, "message", "ed25519", stranger.public_key().View()),
          "a stranger signed nothing");
  Require(!sshsig::Verify(binary, "a message that nobody signed", blob->key.type, blob->key.key),
          "nobody signed this message");
  return 0;
}
