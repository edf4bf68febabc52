// What an ssh-agent answers: nothing it says is read beyond its bounds, and a list that is accepted
// has no more keys than bytes.
#include <cstdint>
#include <string_view>

#include "crypto/ssh_agent_protocol.h"
#include "crypto/ssh_key.h"
#include "crypto/sshsig.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto identities = ssh::ReadIdentitiesAnswer(body)) {
    fuzz::Require(identities->size() <= size, "each key has some bytes");
    for (const auto& identity : *identities) {
      if (auto key = ssh::DecodeKeyBlob(identity.key_blob)) {
        fuzz::Require(ssh::EncodeKeyBlob(*key) == identity.key_blob, "a key blob has one form");
      }
    }
  }
  if (const auto signature = ssh::ReadSignAnswer(body)) {
    if (const auto raw = ssh::RawSignature(*signature)) {
      fuzz::Require(raw->size() == 64, "a raw signature has 64 bytes");
    }
    const ssh::Key token{"sk-ed25519", Bytes(32, 'k') + "ssh:"};
    if (const auto blob = sshsig::Assemble(token, sshsig::Hash::kSha512, *signature)) {
      fuzz::Require(sshsig::Decode(*blob).has_value(), "what is assembled is read");
    }
  }
  return 0;
}
