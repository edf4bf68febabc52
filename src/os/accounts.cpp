#include "os/accounts.h"

#include <charconv>

#include "os/files.h"
#include "util/text.h"

namespace mig::os {

Accounts Accounts::Parse(std::string_view text) {
  Accounts accounts;
  for (const std::string_view line : Split(text, '\n')) {
    const auto fields = Split(line, ':');
    if (fields.size() < 3 || fields[0].empty()) continue;
    const std::string_view digits = fields[2];
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) continue;
    accounts.numbers_.emplace(fields[0], number);
    accounts.names_.emplace(number, fields[0]);
  }
  return accounts;
}

std::optional<std::uint32_t> Accounts::NumberOf(std::string_view name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

const std::string* Accounts::NameOf(std::uint32_t number) const {
  const auto found = names_.find(number);
  return found == names_.end() ? nullptr : &found->second;
}

Expected<Accounts> ReadAccounts(const char* file) {
  constexpr std::size_t kMaxBytes = 64u << 20;
  auto text = ReadFile(file, kMaxBytes);
  if (!text) return std::move(text).error();
  return Accounts::Parse(*text);
}

}  // namespace mig::os
