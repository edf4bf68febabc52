#include "cli/gpg_listing.h"

#include <algorithm>
#include <charconv>

#include "util/encoding.h"
#include "util/text.h"

namespace mig::cli {
namespace {

// Numbers of columns as doc/DETAILS counts them, from 1.
enum Column : std::size_t {
  kType = 1,
  kValidity = 2,
  kBits = 3,
  kAlgorithm = 4,
  kUserId = 10,  // of fpr: the fingerprint
  kCapabilities = 12,
  kToken = 15,
  kCurve = 17,
};
constexpr std::size_t kIndex = 2;   // of pkd: which number of the key
constexpr std::size_t kNumber = 4;  // of pkd: its hex

constexpr std::string_view kRsa = "1";
constexpr std::string_view kEdDsa = "22";
constexpr std::size_t kMinRsaBits = 3072;
constexpr std::size_t kMostListed = 8;  // in a message

std::string_view At(const std::vector<std::string_view>& columns, std::size_t column) {
  return column <= columns.size() ? columns[column - 1] : std::string_view();
}

// C's escapes of a user id: \x3a is a colon.
std::string Unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.starts_with("\\x") && text.size() >= 4) {
      if (auto byte = DecodeHex(text.substr(2, 2))) {
        plain += *byte;
        text.remove_prefix(4);
        continue;
      }
    }
    plain += text.front();
    text.remove_prefix(1);
  }
  return plain;
}

bool IsBad(char validity) { return std::string_view("redin").find(validity) != std::string::npos; }

void TakeNumber(GpgKey& key, std::string_view algorithm,
                const std::vector<std::string_view>& columns) {
  auto bytes = DecodeHex(At(columns, kNumber));
  if (!bytes) return;  // then it stays empty, and WhyUnusable says so
  const std::string_view index = At(columns, kIndex);
  if (algorithm == kRsa && index == "0") key.modulus = std::move(*bytes);
  if (algorithm == kRsa && index == "1") key.exponent = std::move(*bytes);
  // RFC 9580 section 11.2.1: a point of this curve has 0x40 in front.
  if (algorithm == kEdDsa && index == "1" && bytes->size() == 33 && bytes->front() == '\x40' &&
      key.algorithm == "ed25519") {
    key.point = bytes->substr(1);
  }
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Digits without the spaces that gpg prints between them, or nothing.
std::string AsFingerprint(std::string_view id) {
  std::string digits;
  for (const char c : id) {
    if (c != ' ') digits += c;
  }
  if (digits.starts_with("0x")) digits.erase(0, 2);
  const bool hex = digits.size() >= 16 &&
                   digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return hex ? Upper(digits) : std::string();
}

std::string Describe(const GpgKey& key) {
  const std::string why = WhyUnusable(key);
  return key.fingerprint + " " + EscapeForTerminal(key.user_id) + " (" +
         (why.empty() ? key.algorithm : why) + ")";
}

std::string DescribeAll(const std::vector<GpgKey>& keys) {
  std::string text;
  for (std::size_t i = 0; i < keys.size() && i < kMostListed; ++i) {
    text += (i == 0 ? "" : ", ") + Describe(keys[i]);
  }
  return keys.size() > kMostListed ? text + ", …" : text;
}

}  // namespace

std::string WhyUnusable(const GpgKey& key) {
  switch (key.validity) {
    case 'r':
      return "revoked";
    case 'e':
      return "expired";
    case 'd':
      return "disabled";
    case 'i':
      return "invalid";
    case 'n':
      return "not valid";
    default:
      break;
  }
  if (!key.can_sign) return "not for signing";
  if (key.token == "#") return "its secret is not here";
  if (!key.point.empty()) return "";
  if (key.modulus.empty()) return key.algorithm + ": neither Ed25519 nor RSA";
  if (key.modulus.size() * 8 < kMinRsaBits) return key.algorithm + ": RSA below 3072 bits";
  return "";
}

Expected<std::vector<GpgKey>> ParseGpgListing(std::string_view text) {
  std::vector<GpgKey> keys;
  std::string algorithm;   // number of the last key
  std::size_t family = 0;  // index of the last primary key
  for (std::string_view line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::vector<std::string_view> columns = Split(line, ':');
    const std::string_view type = At(columns, kType);
    const bool primary = type == "sec" || type == "pub";
    if (primary || type == "ssb" || type == "sub") {
      if (!primary && keys.empty()) {
        return Error(Errc::kMalformed, "gpg's list: a subkey comes before any key");
      }
      if (primary) family = keys.size();
      GpgKey& key = keys.emplace_back();
      algorithm = At(columns, kAlgorithm);
      key.validity = At(columns, kValidity).empty() ? '-' : At(columns, kValidity).front();
      key.can_sign = At(columns, kCapabilities).find('s') != std::string_view::npos;
      key.token = At(columns, kToken);
      key.algorithm = algorithm == kRsa             ? "rsa" + std::string(At(columns, kBits))
                      : At(columns, kCurve).empty() ? "algorithm " + algorithm
                                                    : std::string(At(columns, kCurve));
      continue;
    }
    if (keys.empty()) continue;  // trust database, configuration
    GpgKey& key = keys.back();
    if (type == "fpr" && key.fingerprint.empty()) {
      key.fingerprint = Upper(std::string(At(columns, kUserId)));
      key.primary = keys[family].fingerprint;
    } else if (type == "uid" && keys[family].user_id.empty() &&
               !IsBad(At(columns, kValidity).empty() ? '-' : At(columns, kValidity).front())) {
      keys[family].user_id = Unescape(At(columns, kUserId));
    } else if (type == "pkd") {
      TakeNumber(key, algorithm, columns);
    }
  }
  std::string user_id;
  for (GpgKey& key : keys) {
    if (key.fingerprint.empty()) {
      return Error(Errc::kMalformed, "gpg's list: a key without a fingerprint");
    }
    if (key.primary == key.fingerprint) user_id = key.user_id;
    key.user_id = user_id;
  }
  return keys;
}

Expected<GpgKey> ChooseGpgKey(const std::vector<GpgKey>& keys, const std::string& id) {
  if (keys.empty()) {
    return Error(Errc::kNotFound,
                 "gpg has no secret key here; make one with: gpg --quick-gen-key 'NAME <MAIL>' "
                 "ed25519 sign, or take one of mig's: mig key new");
  }
  const std::string digits = AsFingerprint(id);
  const auto named = [&](const std::string& fingerprint) {
    return !digits.empty() && fingerprint.ends_with(digits);
  };
  // A subkey, or a primary key that signs itself, is meant as it is.
  for (const GpgKey& key : keys) {
    if (named(key.fingerprint) && (key.fingerprint != key.primary || WhyUnusable(key).empty())) {
      const std::string why = WhyUnusable(key);
      if (why.empty()) return key;
      return Error(Errc::kInvalid, "gpg's key " + Describe(key) + " cannot sign for mig");
    }
  }
  std::vector<GpgKey> family;
  std::vector<std::string> primaries;
  for (const GpgKey& key : keys) {
    const bool meant =
        named(key.primary) ||
        (digits.empty() && LowerAscii(key.user_id).find(LowerAscii(id)) != std::string::npos);
    if (!meant) continue;
    family.push_back(key);
    if (key.primary == key.fingerprint) primaries.push_back(key.primary);
  }
  if (family.empty()) {
    return Error(Errc::kNotFound, "gpg has no secret key `" + EscapeForTerminal(id) + "`; it has " +
                                      DescribeAll(keys) + ". `gpg -K` lists them");
  }
  if (primaries.size() > 1) {
    return Error(Errc::kInvalid, "`" + EscapeForTerminal(id) +
                                     "` means several keys of gpg; name one by its fingerprint: " +
                                     Join(primaries, ", "));
  }
  if (WhyUnusable(family.front()).empty()) return family.front();
  // gpg lists subkeys in the order in which they were added.
  const auto newest = std::find_if(family.rbegin(), family.rend(),
                                   [](const GpgKey& key) { return WhyUnusable(key).empty(); });
  if (newest != family.rend()) return *newest;
  return Error(Errc::kInvalid, "none of gpg's keys for `" + EscapeForTerminal(id) +
                                   "` can sign for mig: " + DescribeAll(family) +
                                   ". A subkey will do: gpg --quick-add-key " +
                                   family.front().fingerprint + " ed25519 sign");
}

}  // namespace mig::cli
