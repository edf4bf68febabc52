// OpenPGP packets, and key and signature packets within them, without anything that vouches for
// them.
#include <cstdint>

#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_signature_packet.h"
#include "test/fuzz/require.h"

using namespace mig;
using namespace mig::openpgp;
using fuzz::Require;

namespace {

void TryNumber(BytesView body) {
  Octets octets(body);
  const BytesView number = octets.Mpi();
  if (!octets.ok()) return;
  Bytes again;
  AppendMpi(again, number);
  Require(body.starts_with(again), "a number has one form");
}

void TryKey(const Packet& packet) {
  const auto key = ReadKey(packet);
  if (!key) return;
  Require(key->material.has_value() == key->why_not.empty(), "a key is usable or says why not");
  Require(key->public_part.size() + key->secret_part.size() == packet.body.size(),
          "public and secret part are all of it");
  Require(FingerprintOf(*key).size() == (key->version == 6 ? 32u : 20u), "fingerprint sizes");
  Require(KeyIdOf(*key).size() == 8, "a key id has eight bytes");
}

void TrySignature(BytesView body) {
  const auto signature = ReadSignature(body);
  if (!signature) return;
  Require(signature->version == 4 || signature->version == 6, "only these versions");
  Require(body.starts_with(signature->covered), "what is hashed is its beginning");
  Require(signature->left16.size() == 2, "two octets of the digest");
  const auto digest = DigestFor(*signature, {"message"}, Sha1::kRefused);
  if (digest) Require(digest->bytes.size() >= 32, "no weak digest");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesView rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const BytesView before = rest;
    const auto packet = TakePacket(rest);
    if (!packet) {
      Require(rest == before, "an error takes nothing");
      break;
    }
    Require(rest.size() < before.size(), "a packet takes something");
    Bytes again;
    AppendPacket(again, packet->type, packet->body);
    BytesView written(again);
    const auto same = TakePacket(written);
    Require(same && same->type == packet->type && same->body == packet->body && written.empty(),
            "written, it reads the same");
    TryNumber(packet->body);
    TryKey(*packet);
    TrySignature(packet->body);
  }
  return 0;
}
