#include "cli/key_choice.h"

#include <algorithm>
#include <array>

#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kFileWord = "file:";

struct Holder {
  std::string_view word;
  KeyChoice::Kind kind;
  std::string_view example;
};
constexpr std::array<Holder, 2> kHolders = {{
    {"ssh:", KeyChoice::Kind::kSsh, "ssh:SHA256:… (`ssh-add -l` shows it)"},
    {"gpg:", KeyChoice::Kind::kGpg, "gpg:FINGERPRINT (`gpg -K` shows it)"},
}};

}  // namespace

Expected<KeyChoice> ParseKeyChoice(std::string_view text, const std::filesystem::path& folder) {
  for (const Holder& holder : kHolders) {
    if (!text.starts_with(holder.word)) continue;
    const std::string_view id = Trim(text.substr(holder.word.size()));
    const bool plain = std::none_of(id.begin(), id.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    // A dash in front would be an option of the program that gets it.
    if (id.empty() || id.front() == '-' || !plain) {
      return Error(Errc::kInvalid, "`" + EscapeForTerminal(text.substr(0, 128)) +
                                       "` names no key; expected " + std::string(holder.example));
    }
    return KeyChoice{holder.kind, {}, std::string(id)};
  }
  const bool prefixed = text.starts_with(kFileWord);
  const std::string_view path = prefixed ? text.substr(kFileWord.size()) : text;
  if (path.empty()) {
    return Error(Errc::kInvalid, "names no key; expected a key file, ssh:SHA256:… or gpg:…");
  }
  return KeyChoice{KeyChoice::Kind::kFile, (folder / path).lexically_normal(), {}};
}

std::string KeyChoiceText(const KeyChoice& choice) {
  for (const Holder& holder : kHolders) {
    if (choice.kind == holder.kind) return std::string(holder.word) + choice.id;
  }
  const std::string path = choice.file.string();
  const bool mistakable = path.starts_with(kFileWord) ||
                          std::any_of(kHolders.begin(), kHolders.end(), [&](const Holder& holder) {
                            return path.starts_with(holder.word);
                          });
  return mistakable ? std::string(kFileWord) + path : path;
}

}  // namespace mig::cli
