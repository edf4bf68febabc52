// ASCII armour around OpenPGP packets: RFC 9580 section 6.2 (RFC 4880 section 6.2). Text in, bytes
// out and back; the packets are crypto/openpgp_packet.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::openpgp {

// Keys of many user ids and signatures have some tens of kilobytes.
inline constexpr std::size_t kMaxArmorBytes = 1024 * 1024;

enum class ArmorKind { kPublicKey, kPrivateKey, kSignature };

struct ArmorBlock {
  ArmorKind kind;
  Bytes body;
};

// True if the bytes cannot be binary packets, each of which begins with its highest bit set.
bool LooksArmored(BytesView bytes);

// Every block of the three kinds in `text`, in order; text around blocks is skipped, and so are
// armour headers ("Version:", "Comment:"). A checksum is not compared: section 6.1 forbids to
// refuse an object for it, and all that we read is signed or sealed. Errors: kMalformed: longer
// than kMaxArmorBytes, no block, a block without end or with another end, or one whose content is
// not base64; kUnsupported: a message or any other kind of block. Whoever expects a private key
// wipes the bodies (WipeBytes).
Expected<std::vector<ArmorBlock>> ReadArmor(std::string_view text);

// With the checksum that readers of RFC 4880 want (section 6.1), lines of 64 characters.
std::string WriteArmor(ArmorKind kind, BytesView body);

}  // namespace mig::openpgp
