// Ids as fields of JSON documents.
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

}  // namespace mig
