#include "crypto/openpgp_armor.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "crypto/ed25519.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::openpgp {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP ";
constexpr std::string_view kEnd = "-----END PGP ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLineChars = 64;
constexpr std::size_t kMaxBlocks = 64;

// In the order of ArmorKind.
constexpr std::array<std::string_view, 3> kLabels = {"PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK",
                                                     "SIGNATURE"};
std::string_view LabelOf(ArmorKind kind) { return kLabels[static_cast<std::size_t>(kind)]; }

Error Malformed(const std::string& why) {
  return Error(Errc::kMalformed, "OpenPGP armour: " + why);
}

// Lines end with LF or CR LF; blanks at their end mean nothing (section 6.2).
std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  return line;
}

// "SIGNATURE" of "-----BEGIN PGP SIGNATURE-----".
std::optional<std::string_view> LabelIn(std::string_view line, std::string_view start) {
  if (!line.starts_with(start) || !line.ends_with(kDashes)) return std::nullopt;
  line.remove_prefix(start.size());
  if (line.size() < kDashes.size()) return std::nullopt;
  return line.substr(0, line.size() - kDashes.size());
}

bool IsHeader(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && colon != 0 &&
         (colon + 1 == line.size() || line[colon + 1] == ' ');
}

// What stands between the armour's first line and its last.
Expected<Bytes> ReadBody(std::string_view& rest, std::string_view label) {
  // Headers, then one empty line. A key pasted from a web page may have lost that line, when the
  // first line that is no header is base64 already.
  std::string_view before = rest;
  std::string_view line = TakeLine(rest);
  while (IsHeader(line)) {
    before = rest;
    line = TakeLine(rest);
  }
  if (!line.empty()) rest = before;
  std::string base64;
  base64.reserve(rest.size());
  bool past_checksum = false;
  while (!rest.empty()) {
    line = TakeLine(rest);
    if (const auto end = LabelIn(line, kEnd)) {
      if (*end != label) {
        WipeBytes(base64);
        return Malformed("a " + std::string(label) + " ends as another kind of block");
      }
      auto body = DecodeBase64(base64);
      WipeBytes(base64);
      if (!body || body->empty()) {
        return Malformed("the " + std::string(label) + " is not base64, or is incomplete");
      }
      return body;
    }
    if (line.size() == 5 && line.front() == '=') {
      past_checksum = true;
    } else if (past_checksum && !line.empty()) {
      break;
    } else {
      base64 += line;
    }
  }
  WipeBytes(base64);
  return Malformed("the " + std::string(label) + " has no end line");
}

// Section 6.1.1.
std::uint32_t Crc24(BytesView bytes) {
  std::uint32_t crc = 0xB704CE;
  for (const char c : bytes) {
    crc ^= std::uint32_t{static_cast<unsigned char>(c)} << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= 0x1864CFB;
    }
  }
  return crc & 0xFFFFFF;
}

}  // namespace

bool LooksArmored(BytesView bytes) {
  return !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80) == 0;
}

Expected<std::vector<ArmorBlock>> ReadArmor(std::string_view text) {
  if (text.size() > kMaxArmorBytes) return Malformed("longer than 1 MiB");
  std::vector<ArmorBlock> blocks;
  const auto wiped = [&](Error error) {
    for (ArmorBlock& block : blocks) WipeBytes(block.body);
    return error;
  };
  while (!text.empty()) {
    const auto label = LabelIn(TakeLine(text), kBegin);
    if (!label) continue;
    const auto kind = std::find(kLabels.begin(), kLabels.end(), *label);
    if (kind == kLabels.end()) {
      return wiped(Error(Errc::kUnsupported, "OpenPGP armour: a block `" +
                                                 EscapeForTerminal(label->substr(0, 32)) +
                                                 "` is neither a key nor a detached signature"));
    }
    if (blocks.size() == kMaxBlocks) return wiped(Malformed("more than 64 blocks"));
    auto body = ReadBody(text, *label);
    if (!body) return wiped(std::move(body).error());
    blocks.push_back({static_cast<ArmorKind>(kind - kLabels.begin()), std::move(*body)});
  }
  if (blocks.empty()) return Malformed("no line `" + std::string(kBegin) + "…-----`");
  return blocks;
}

std::string WriteArmor(ArmorKind kind, BytesView body) {
  std::string text(kBegin);
  text.append(LabelOf(kind)).append(kDashes).append("\n\n");
  Bytes base64 = EncodeBase64(body);
  for (std::size_t i = 0; i < base64.size(); i += kLineChars) {
    text.append(base64, i, kLineChars).append("\n");
  }
  WipeBytes(base64);
  const std::uint32_t crc = Crc24(body);
  Bytes octets;
  for (const int shift : {16, 8, 0}) octets += static_cast<char>(crc >> shift & 0xFF);
  text.append("=").append(EncodeBase64(octets)).append("\n");
  return text.append(kEnd).append(LabelOf(kind)).append(kDashes).append("\n");
}

}  // namespace mig::openpgp
