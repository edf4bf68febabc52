#include "proto/audience.h"

#include "proto/id_field.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxPath = 20;  // 2^20 machines are more than kMaxAudience

}  // namespace

Expected<Audience> DecodeAudience(const json::object& fields, const std::string& where) {
  json::ObjectReader in(fields, where);
  Audience audience;
  audience.size = in.Uint64("size");
  if (audience.size == 0 || audience.size > kMaxAudience) {
    in.Fail("size", "is not 1.." + std::to_string(kMaxAudience));
  }
  audience.root = ReadExactly(in, "root", kHashBytes);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return audience;
}

json::object EncodeAudience(const Audience& audience) {
  return {{"size", json::FromUint(audience.size)}, {"root", EncodeBase64(audience.root)}};
}

Expected<AudienceProof> DecodeAudienceProof(const json::object& fields, const std::string& where) {
  json::ObjectReader in(fields, where, json::ObjectReader::Unknown::kIgnore);
  AudienceProof proof;
  proof.index = in.Uint64("index");
  const std::vector<std::string> path = in.OptionalStrings("path");
  if (path.size() > kMaxPath) in.Fail("path", "has more than " + std::to_string(kMaxPath));
  for (const std::string& text : path) {
    auto hash = DecodeBase64(text);
    if (!hash || hash->size() != kHashBytes) {
      in.Fail("path", "has an element that is not 32 bytes in base64");
      break;
    }
    proof.path.push_back(std::move(*hash));
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return proof;
}

json::object EncodeAudienceProof(const AudienceProof& proof) {
  json::array path;
  for (const Bytes& hash : proof.path) path.push_back(json::value(EncodeBase64(hash)));
  return {{"index", json::FromUint(proof.index)}, {"path", std::move(path)}};
}

}  // namespace mig
