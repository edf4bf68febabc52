// The pure half: what the texts of a system mean, on whichever system they are read.
#include "os/environment.h"

#include <array>
#include <bit>
#include <cstdio>

#include "util/text.h"

namespace mig::os {
namespace {

constexpr std::size_t kMaxIdentBytes = 256;

// The value of a shell-like assignment (os-release(5)): quotes of either kind taken off, and
// backslashes before the characters that a shell would treat.
std::string Unquote(std::string_view value) {
  value = Trim(value);
  char quote = 0;
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote && quote != 0) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < value.size()) {
      text += value[++i];
    } else {
      text += c;
    }
  }
  return text;
}

bool IsHostName(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (const char c : name) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_';
    if (!good) return false;
  }
  return true;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  for (;;) {
    const std::size_t start = line.find_first_not_of(kBlank);
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(kBlank), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
}

// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::".
std::string FormatIpv6(BytesView address) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<unsigned>(static_cast<unsigned char>(address[2 * i])) << 8 |
                static_cast<unsigned char>(address[2 * i + 1]);
  }
  std::size_t best = groups.size();
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t length = 0;
    while (i + length < groups.size() && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size();) {
    if (i == best) {
      text += "::";
      i += best_length;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%x", groups[i++]);
    text += digits.data();
  }
  return text;
}

}  // namespace

std::string IdentFromOsRelease(std::string_view text) {
  std::string pretty, name, version;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    const std::size_t equals = trimmed.find('=');
    if (trimmed.starts_with('#') || equals == std::string_view::npos) continue;
    const std::string_view key = trimmed.substr(0, equals);
    std::string* target = key == "PRETTY_NAME" ? &pretty
                          : key == "NAME"      ? &name
                          : key == "VERSION"   ? &version
                                               : nullptr;
    if (target != nullptr) *target = Unquote(trimmed.substr(equals + 1));
  }
  std::string ident = !pretty.empty() ? pretty : version.empty() ? name : name + " " + version;
  if (ident.size() > kMaxIdentBytes || !IsUtf8(ident)) return {};
  return ident;
}

std::string InitFlavour(std::string_view command_line, std::string_view init_link) {
  // /proc/1/cmdline separates arguments by NUL; sysvinit overwrites its own with "init [2]".
  std::string_view first = command_line.substr(0, command_line.find('\0'));
  const bool sysv_title = first.find("init [") != std::string_view::npos;
  first = BaseName(first.substr(0, first.find(' ')));
  if (first.empty()) return {};
  if (first == "systemd") return "systemd";
  if (sysv_title) return "sysvinit";
  if (first != "init") return std::string(first);
  const std::string_view behind = BaseName(init_link);
  if (behind == "systemd") return "systemd";
  if (behind.find("upstart") != std::string_view::npos) return "upstart";
  if (behind.empty() || behind == "init") return "sysvinit";
  return std::string(behind);
}

std::string FullyQualifiedName(std::string_view kernel_name, std::string_view hosts_file) {
  if (kernel_name.empty()) return "localhost";
  if (kernel_name.find('.') != std::string_view::npos) return std::string(kernel_name);
  for (std::string_view line : Split(hosts_file, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::vector<std::string_view> words = Words(line);
    bool names_us = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
      names_us = names_us || words[i] == kernel_name ||
                 words[i].substr(0, words[i].find('.')) == kernel_name;
    }
    if (!names_us) continue;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string_view host = words[i].substr(0, words[i].find('.'));
      if (host == kernel_name && host.size() < words[i].size() && IsHostName(words[i])) {
        return std::string(words[i]);
      }
    }
  }
  return std::string(kernel_name);
}

std::string FormatCidr(BytesView address, BytesView netmask) {
  int prefix = 0;
  for (const char byte : netmask) prefix += std::popcount(static_cast<unsigned char>(byte));
  std::string text;
  if (address.size() == 4 && netmask.size() == 4) {
    if (address[0] == 127) return {};
    for (const char byte : address) {
      if (!text.empty()) text += '.';
      text += std::to_string(static_cast<unsigned char>(byte));
    }
  } else if (address.size() == 16 && netmask.size() == 16) {
    if (address == BytesView("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16)) return {};
    text = FormatIpv6(address);
  } else {
    return {};
  }
  return text + "/" + std::to_string(prefix);
}

}  // namespace mig::os
