#include "cli/key_line.h"

#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "crypto/public_key_line.h"
#include "util/text.h"

namespace mig::cli {

Expected<KeyLine> ReadKeyLine(std::string_view text) {
  auto line = ReadPublicLine(Trim(text));
  if (!line) return std::move(line).error();
  return KeyLine{{std::move(line->type), std::move(line->key)}, std::move(line->name)};
}

std::string WriteKeyLine(const DocumentKey& key, std::string_view name) {
  return WritePublicLine({key.type, key.key, IsKeyName(name) ? std::string(name) : "unnamed"});
}

KeyId IdOf(const DocumentKey& key) { return KeyId::FromBytes(Sha256(MaterialOf(key))).value(); }

}  // namespace mig::cli
