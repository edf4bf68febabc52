#include "util/encoding.h"

#include <array>
#include <cstdint>

namespace mig {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

using Table = std::array<std::int8_t, 256>;

constexpr Table Invert(std::string_view alphabet) {
  Table table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr Table kFromBase64 = Invert(kBase64);
constexpr Table kFromBase64Url = Invert(kBase64Url);
constexpr Table kFromBase32 = Invert(kBase32);

// Regroups bytes into symbols of `bits` bits, the last one filled with zeros on the right.
std::string EncodeBits(BytesView bytes, std::string_view alphabet, unsigned bits) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits + 4);
  std::uint32_t buffer = 0;
  unsigned have = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    have += 8;
    while (have >= bits) {
      have -= bits;
      out += alphabet[(buffer >> have) & ((1u << bits) - 1)];
    }
  }
  if (have > 0) out += alphabet[(buffer << (bits - have)) & ((1u << bits) - 1)];
  return out;
}

Expected<Bytes> DecodeBits(std::string_view text, const Table& table, unsigned bits,
                           std::string_view name) {
  Bytes out;
  out.reserve(text.size() * bits / 8);
  std::uint32_t buffer = 0;
  unsigned have = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int symbol = table[static_cast<unsigned char>(text[i])];
    if (symbol < 0) {
      return Error(Errc::kMalformed,
                   std::string(name) + ": character " + std::to_string(i + 1) + " is not allowed");
    }
    buffer = (buffer << bits) | static_cast<std::uint32_t>(symbol);
    have += bits;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((buffer >> have) & 0xFFu);
    }
  }
  // A whole symbol too many, or bits that a second text could carry: not the one true form.
  if (have >= bits || (buffer & ((1u << have) - 1)) != 0) {
    return Error(Errc::kMalformed, std::string(name) + ": incomplete at the end");
  }
  return out;
}

}  // namespace

std::string EncodeBase64(BytesView bytes) {
  std::string out = EncodeBits(bytes, kBase64, 6);
  while (out.size() % 4 != 0) out += '=';
  return out;
}

Expected<Bytes> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return Error(Errc::kMalformed, "base64: length is not a multiple of 4");
  }
  std::string_view symbols = text;
  for (int i = 0; i < 2 && symbols.ends_with('='); ++i) symbols.remove_suffix(1);
  return DecodeBits(symbols, kFromBase64, 6, "base64");
}

std::string EncodeBase64Url(BytesView bytes) { return EncodeBits(bytes, kBase64Url, 6); }

Expected<Bytes> DecodeBase64Url(std::string_view text) {
  return DecodeBits(text, kFromBase64Url, 6, "base64url");
}

std::string EncodeBase32(BytesView bytes) { return EncodeBits(bytes, kBase32, 5); }

Expected<Bytes> DecodeBase32(std::string_view text) {
  return DecodeBits(text, kFromBase32, 5, "base32");
}

std::string EncodeHex(BytesView bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 0xF];
  }
  return out;
}

Expected<Bytes> DecodeHex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return Error(Errc::kMalformed, "hex: odd number of digits");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Errc::kMalformed, "hex: not a digit near character " + std::to_string(i + 1));
    }
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace mig
