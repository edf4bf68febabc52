#include "crypto/public_key_line.h"

#include <cassert>

#include "crypto/key_file.h"
#include "crypto/ssh_key.h"
#include "crypto/verifying_key.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::string_view kStart = "mig-";
constexpr std::size_t kMaxLineBytes = 16 * 1024;

}  // namespace

std::string WritePublicLine(const PublicKeyLine& line) {
  assert(IsKeyName(line.name) && "checked where the name came in");
  return std::string(kStart) + line.type + " " + EncodeBase64(line.key) + " " + line.name;
}

Expected<PublicKeyLine> ReadPublicLine(std::string_view text) {
  if (ssh::LooksLikePublicLine(text)) {
    auto line = ssh::ReadPublicLine(text);
    if (!line) return std::move(line).error();
    return PublicKeyLine{std::move(line->key.type), std::move(line->key.key),
                         IsKeyName(line->comment) ? std::move(line->comment) : std::string()};
  }
  const auto malformed = [](std::string_view why) {
    return Error(Errc::kMalformed,
                 "public key: " + std::string(why) +
                     "; a line `mig-ed25519 KEY NAME` or `ssh-ed25519 KEY COMMENT` expected");
  };
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxLineBytes) return malformed("the line is too long");
  if (!text.starts_with(kStart)) return malformed("it starts otherwise");
  text.remove_prefix(kStart.size());
  const std::size_t after_type = text.find(' ');
  if (after_type == std::string_view::npos) return malformed("the key is missing");
  PublicKeyLine line;
  line.type = text.substr(0, after_type);
  text.remove_prefix(after_type + 1);
  const std::size_t space = text.find(' ');
  auto key = DecodeBase64(text.substr(0, space));
  if (!key) return malformed(key.error().message());
  line.key = std::move(*key);
  line.name = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (!IsKeyName(line.name)) return malformed("the name is missing or not plain");
  if (auto verifies = VerifyingKey::From(line.type, line.key); !verifies) {
    return std::move(verifies).error().During("public key");
  }
  return line;
}

}  // namespace mig
