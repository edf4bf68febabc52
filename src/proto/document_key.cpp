#include "proto/document_key.h"

#include <algorithm>
#include <set>

#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::size_t kPointBytes = 32;
constexpr std::size_t kMaxApplicationBytes = 255;

// What the bytes of the known types must at least look like.
constexpr struct {
  std::string_view type;
  std::size_t least, most;
} kSizes[] = {
    {kEd25519Key, kPointBytes, kPointBytes},
    {kSkEd25519Key, kPointBytes + 1, kPointBytes + kMaxApplicationBytes},
};

bool IsType(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTypeBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Expected<DocumentKey> DecodeKey(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
  json::ObjectReader in(item.get_object(), where);
  DocumentKey key;
  key.type = in.String("type");
  key.key = in.Base64("key");
  if (!IsType(key.type)) in.Fail("type", "is not a word of a-z, 0-9 and -");
  if (key.key.empty() || key.key.size() > kMaxKeyBytes) in.Fail("key", "has not 1..4096 bytes");
  for (const auto& row : kSizes) {
    if (key.type != row.type || (key.key.size() >= row.least && key.key.size() <= row.most)) {
      continue;
    }
    in.Fail("key", "has " + std::to_string(key.key.size()) + " bytes; an " + key.type +
                       " key has " + std::to_string(row.least) +
                       (row.most == row.least ? "" : ".." + std::to_string(row.most)));
  }
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return key;
}

}  // namespace

BytesView MaterialOf(const DocumentKey& key) {
  const BytesView all = key.key;
  return key.type == kSkEd25519Key ? all.substr(0, kPointBytes) : all;
}

std::vector<DocumentKey> DecodeKeys(json::ObjectReader& in, std::size_t most) {
  std::vector<DocumentKey> keys;
  const json::array* items = in.Array("keys");
  if (items == nullptr) return keys;
  if (items->size() > most) in.Fail("keys", "has more than " + std::to_string(most));
  std::set<Bytes> material;
  for (const json::value& item : *items) {
    auto key = DecodeKey(item, in.Where("keys[" + std::to_string(keys.size()) + "]"));
    if (!key) {
      in.Fail(std::move(key).error());
      break;
    }
    if (!material.insert(Bytes(MaterialOf(*key))).second) in.Fail("keys", "has the same key twice");
    keys.push_back(std::move(*key));
  }
  return keys;
}

json::array EncodeKeys(const std::vector<DocumentKey>& keys) {
  json::array items;
  for (const DocumentKey& key : keys) {
    items.push_back(json::object{{"type", key.type}, {"key", EncodeBase64(key.key)}});
  }
  return items;
}

}  // namespace mig
