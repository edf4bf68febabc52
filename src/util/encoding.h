// Bytes as text: base64 (RFC 4648 section 4), base32 (lower case, no padding) and hex.
// Decoders are strict: one text for one value, no white space, no stray bits.
#pragma once

#include <string>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

std::string EncodeBase64(BytesView bytes);            // with padding
Expected<Bytes> DecodeBase64(std::string_view text);  // padding required; error: kMalformed

std::string EncodeBase64Url(BytesView bytes);  // RFC 4648 section 5, without padding
Expected<Bytes> DecodeBase64Url(std::string_view text);

std::string EncodeBase32(BytesView bytes);            // a-z2-7, without padding
Expected<Bytes> DecodeBase32(std::string_view text);  // error: kMalformed

std::string EncodeHex(BytesView bytes);            // lower case
Expected<Bytes> DecodeHex(std::string_view text);  // either case; error: kMalformed

}  // namespace mig
