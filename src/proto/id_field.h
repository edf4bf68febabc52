// Fields of JSON documents with a fixed number of bytes: ids in base32, keys and digests in base64.
#pragma once

#include <string_view>

#include "proto/ids.h"
#include "util/json.h"

namespace mig {

// The id in the string field `key`; none, and an error in the reader, when it is not one.
template <typename IdType>
IdType ReadId(json::ObjectReader& in, std::string_view key) {
  auto id = IdType::Parse(in.String(key));
  if (!id) {
    in.Fail(key, id.error().message());
    return {};
  }
  return *id;
}

// The base64 field `key`, which must hold exactly `bytes` bytes.
inline Bytes ReadExactly(json::ObjectReader& in, std::string_view key, std::size_t bytes) {
  Bytes value = in.Base64(key);
  if (value.size() != bytes) in.Fail(key, "has not " + std::to_string(bytes) + " bytes");
  return value;
}

}  // namespace mig
