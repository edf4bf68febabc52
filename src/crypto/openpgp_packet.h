// OpenPGP packets and the numbers inside them: framing only, what a packet means is read by
// crypto/openpgp_signature_packet.h and crypto/openpgp_key.h. RFC 9580 sections 3, 4 and 5 (which
// includes RFC 4880). Pure functions over bytes; nothing is copied, so that every view lives as
// long as the bytes it was read from.
#pragma once

#include <cstdint>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::openpgp {

// RFC 9580 section 5, table 3; only those that certificates and detached signatures consist of.
enum class PacketType : std::uint8_t {
  kSignature = 2,
  kSecretKey = 5,
  kPublicKey = 6,
  kSecretSubkey = 7,
  kMarker = 10,
  kTrust = 12,
  kUserId = 13,
  kPublicSubkey = 14,
  kUserAttribute = 17,
  kPadding = 21,
};

struct Packet {
  PacketType type;  // may be a number without a name above
  BytesView body;
};

// Takes the first packet off `rest`: old and new headers (section 4.2). Partial and indeterminate
// lengths are for streamed data, which nothing that we read contains (section 4.2.1.4).
// Errors, which leave `rest` as it was: kMalformed; kUnsupported for those lengths.
Expected<Packet> TakePacket(BytesView& rest);

// Writes a new-format header and the body (section 4.2.1).
void AppendPacket(Bytes& out, PacketType type, BytesView body);

// Reads the fields of one body, big-endian. After the first field that is not there everything
// reads as zero or empty and ok() is false: a decoder reads all its fields and asks once.
class Octets {
 public:
  explicit Octets(BytesView bytes) : rest_(bytes) {}

  std::uint8_t U8() { return static_cast<std::uint8_t>(Number(1)); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Number(2)); }
  std::uint32_t U32() { return Number(4); }
  BytesView Take(std::size_t count);
  // A multiprecision integer (section 3.2) without its length: the shortest big-endian form, empty
  // for zero. A length that is not the exact number of bits fails.
  BytesView Mpi();
  BytesView Rest() { return Take(rest_.size()); }

  std::size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::uint32_t Number(std::size_t bytes);

  BytesView rest_;
  bool ok_ = true;
};

void AppendU16(Bytes& out, std::size_t number);
void AppendU32(Bytes& out, std::size_t number);
// Leading zeros of `number` are left out, as section 3.2 demands.
void AppendMpi(Bytes& out, BytesView number);

// `number` with zeros in front up to `size`. Requires: number.size() <= size.
Bytes LeftPadded(BytesView number, std::size_t size);

}  // namespace mig::openpgp
