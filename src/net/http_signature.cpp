#include "net/http_signature.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::string_view kLabel = "mig";
constexpr std::string_view kMethod = "@method";
constexpr std::string_view kTargetUri = "@target-uri";
constexpr std::string_view kContentDigest = "content-digest";
constexpr std::size_t kMaxFieldBytes = 4096;
constexpr std::size_t kMaxTextBytes = 64;

// Structured field values (RFC 8941), as far as these fields use them, in their canonical form
// only: so what was received is what was signed, byte for byte.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Section 3.1.2: lower-case letters, digits, _ - . *, beginning with a letter or *.
  std::optional<std::string_view> Key() {
    const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || c == '*'; };
    const auto is_later = [&](char c) {
      return is_first(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    if (rest_.empty() || !is_first(rest_[0])) return std::nullopt;
    std::size_t length = 1;
    while (length < rest_.size() && is_later(rest_[length])) ++length;
    return Cut(length);
  }

  // Section 3.3.3, without the quotes and escapes.
  std::optional<std::string> String() {
    if (!Take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\\')) return std::nullopt;
        c = rest_[0];
        rest_.remove_prefix(1);
      } else if (c < 0x20 || c > 0x7e) {
        return std::nullopt;
      }
      text += c;
    }
    return std::nullopt;
  }

  // Section 3.3.1, from 0 to 10^12 - 1 without leading zeros.
  std::optional<std::int64_t> Integer() {
    std::size_t length = 0;
    std::int64_t number = 0;
    while (length < rest_.size() && length < 12 && rest_[length] >= '0' && rest_[length] <= '9') {
      number = number * 10 + (rest_[length++] - '0');
    }
    if (length == 0 || (length > 1 && rest_[0] == '0')) return std::nullopt;
    Cut(length);
    return number;
  }

  // Section 3.3.5.
  std::optional<Bytes> ByteSequence() {
    if (!Take(':')) return std::nullopt;
    const auto end = rest_.find(':');
    if (end == std::string_view::npos) return std::nullopt;
    auto bytes = DecodeBase64(rest_.substr(0, end));
    Cut(end + 1);
    if (!bytes) return std::nullopt;
    return std::move(*bytes);
  }

 private:
  std::string_view Cut(std::size_t length) {
    const std::string_view cut = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return cut;
  }

  std::string_view rest_;
};

std::string QuotedString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Error Malformed(std::string_view what) {
  return Error(Errc::kMalformed, "Signature-Input: " + std::string(what));
}

std::optional<std::string_view> ValueOf(std::string_view component, const SignedParts& parts) {
  if (component == kMethod) return parts.method;
  if (component == kTargetUri) return parts.target_uri;
  if (component == kContentDigest) return parts.content_digest;
  return std::nullopt;
}

Expected<void> ReadParameter(FieldReader& in, std::string_view name, ReceivedSignature& out) {
  if (name == "created") {
    const auto seconds = in.Integer();
    if (!seconds) return Malformed("`created` is not a number of seconds");
    out.parameters.created = UtcTime(std::chrono::seconds(*seconds));
    return {};
  }
  auto text = in.String();
  if (!text) return Malformed("`" + std::string(name) + "` is not a string");
  if (text->size() > kMaxTextBytes) {
    return Malformed("`" + std::string(name) + "` is longer than " + std::to_string(kMaxTextBytes));
  }
  if (name == "nonce") {
    out.parameters.nonce = std::move(*text);
  } else if (name == "keyid") {
    out.parameters.keyid = std::move(*text);
  } else if (name == "alg") {
    if (*text != "ed25519") {
      return Error(Errc::kUnsupported, "Signature-Input: alg `" + *text + "` is not ed25519");
    }
  } else {
    return Error(Errc::kUnsupported,
                 "Signature-Input: unknown parameter `" + std::string(name) + "`");
  }
  return {};
}

}  // namespace

std::string ContentDigest(BytesView body) { return "sha-256=:" + EncodeBase64(Sha256(body)) + ":"; }

Expected<void> CheckContentDigest(std::string_view field, BytesView body) {
  const auto malformed = [] {
    return Error(Errc::kMalformed, "Content-Digest: expected sha-256=:<base64>:");
  };
  if (field.size() > kMaxFieldBytes) return malformed();
  FieldReader in(field);
  for (;;) {
    const auto algorithm = in.Key();
    if (!algorithm || !in.Take('=')) return malformed();
    const auto digest = in.ByteSequence();
    if (!digest) return malformed();
    if (*algorithm == "sha-256") {
      if (*digest == Sha256(body)) return {};
      return Error(Errc::kDenied, "Content-Digest: the body is not the one that was digested");
    }
    if (!in.Take(',')) return malformed();
    in.Take(' ');
  }
}

std::string SignatureBase(
    const std::vector<std::pair<std::string_view, std::string_view>>& components,
    std::string_view raw_parameters) {
  std::string base;
  for (const auto& [name, value] : components) {
    base += '"';
    base += name;
    base += "\": ";
    base += value;
    base += '\n';
  }
  base += "\"@signature-params\": ";
  base += raw_parameters;
  return base;
}

SignatureFields SignRequest(const SignedParts& parts, const SignatureParameters& parameters,
                            const SecretKey& key) {
  std::vector<std::pair<std::string_view, std::string_view>> components = {
      {kMethod, parts.method}, {kTargetUri, parts.target_uri}};
  if (!parts.content_digest.empty()) components.emplace_back(kContentDigest, parts.content_digest);
  std::string raw = "(";
  for (const auto& [name, value] : components) {
    if (raw.size() > 1) raw += ' ';
    raw += QuotedString(name);
  }
  const auto created =
      std::chrono::duration_cast<std::chrono::seconds>(parameters.created.time_since_epoch());
  raw += ");created=" + std::to_string(created.count());
  raw += ";nonce=" + QuotedString(parameters.nonce);
  raw += ";keyid=" + QuotedString(parameters.keyid);
  raw += ";alg=\"ed25519\"";
  const Bytes signature = key.Sign(SignatureBase(components, raw));
  return {std::string(kLabel) + "=" + raw,
          std::string(kLabel) + "=:" + EncodeBase64(signature) + ":"};
}

Expected<ReceivedSignature> ParseSignature(std::string_view signature_input,
                                           std::string_view signature) {
  if (signature_input.empty() || signature.empty()) {
    return Error(Errc::kMalformed, "the request is not signed (Signature-Input and Signature)");
  }
  if (signature_input.size() > kMaxFieldBytes || signature.size() > kMaxFieldBytes) {
    return Malformed("too long");
  }
  ReceivedSignature received;
  FieldReader in(signature_input);
  const auto label = in.Key();
  if (!label || !in.Take('=')) return Malformed("expected label=(…)");
  received.raw_parameters = std::string(in.rest());

  if (!in.Take('(')) return Malformed("expected a list of components in parentheses");
  while (!in.Take(')')) {
    if (!received.components.empty() && !in.Take(' ')) return Malformed("expected one space");
    auto name = in.String();
    if (!name) return Malformed("expected a component in quotes");
    if (!ValueOf(*name, {})) {
      return Error(Errc::kUnsupported, "Signature-Input: component `" + *name +
                                           "` (only @method, @target-uri, content-digest)");
    }
    if (std::find(received.components.begin(), received.components.end(), *name) !=
        received.components.end()) {
      return Malformed("a component stands twice");  // RFC 9421 section 2.5
    }
    received.components.push_back(std::move(*name));
  }

  std::vector<std::string> seen;
  while (in.Take(';')) {
    const auto name = in.Key();
    if (!name || !in.Take('=')) return Malformed("expected ;name=value");
    if (std::find(seen.begin(), seen.end(), *name) != seen.end()) {
      return Malformed("a parameter stands twice");
    }
    seen.emplace_back(*name);
    if (auto read = ReadParameter(in, *name, received); !read) return std::move(read).error();
  }
  if (!in.AtEnd()) return Malformed("expected exactly one signature in canonical form");
  for (const std::string_view needed : {"created", "nonce", "keyid"}) {
    if (std::find(seen.begin(), seen.end(), needed) == seen.end()) {
      return Malformed("`" + std::string(needed) + "` is missing");
    }
  }

  FieldReader value(signature);
  const auto value_label = value.Key();
  auto bytes = value_label && value.Take('=') ? value.ByteSequence() : std::nullopt;
  if (!bytes || !value.AtEnd() || *value_label != *label) {
    return Error(Errc::kMalformed, "Signature: expected " + std::string(*label) + "=:<base64>:");
  }
  if (bytes->size() != 64) {
    return Error(Errc::kMalformed, "Signature: an Ed25519 signature has 64 bytes");
  }
  received.signature = std::move(*bytes);
  return received;
}

bool VerifyRequest(const ReceivedSignature& received, const SignedParts& parts,
                   const PublicKey& key) {
  const auto covers = [&](std::string_view component) {
    return std::find(received.components.begin(), received.components.end(), component) !=
           received.components.end();
  };
  if (!covers(kMethod) || !covers(kTargetUri)) return false;
  if (!parts.content_digest.empty() && !covers(kContentDigest)) return false;
  std::vector<std::pair<std::string_view, std::string_view>> components;
  for (const std::string& name : received.components) {
    const auto value = ValueOf(name, parts);
    if (!value) return false;
    // A line break would let one component pose as two (RFC 9421 section 7.5.7).
    if (value->find('\n') != std::string_view::npos) return false;
    components.emplace_back(name, *value);
  }
  return key.Verify(SignatureBase(components, received.raw_parameters), received.signature);
}

namespace {

Expected<void> CheckHasDigest(const HttpHeaders& headers, bool has_body) {
  if (!has_body || !headers.Get("Content-Digest").empty()) return {};
  return Error(Errc::kDenied, "a request with a body needs a Content-Digest");
}

}  // namespace

Expected<SignatureParameters> VerifySignedHead(
    std::string_view method, std::string_view target_uri, const HttpHeaders& headers, bool has_body,
    const std::function<std::optional<PublicKey>(std::string_view keyid)>& key_of) {
  for (const std::string_view name : {"Signature-Input", "Signature", "Content-Digest"}) {
    if (headers.Count(name) > 1) {
      return Error(Errc::kMalformed, std::string(name) + " stands twice");
    }
  }
  auto received = ParseSignature(headers.Get("Signature-Input"), headers.Get("Signature"));
  if (!received) return std::move(received).error();
  if (auto digest = CheckHasDigest(headers, has_body); !digest) return std::move(digest).error();
  const SignedParts parts{std::string(method), std::string(target_uri),
                          headers.Get("Content-Digest")};
  const auto key = key_of(received->parameters.keyid);
  if (!key) return Error(Errc::kDenied, "the request is signed by no session that is open");
  if (!VerifyRequest(*received, parts, *key)) {
    return Error(Errc::kDenied,
                 "the request's signature does not verify: it must cover @method, "
                 "@target-uri (" +
                     parts.target_uri + ") and, with a body, content-digest");
  }
  return std::move(received->parameters);
}

Expected<void> CheckSignedBody(const HttpHeaders& headers, BytesView body) {
  if (auto digest = CheckHasDigest(headers, !body.empty()); !digest) return digest;
  const std::string field = headers.Get("Content-Digest");
  return field.empty() ? Expected<void>() : CheckContentDigest(field, body);
}

Expected<SignatureParameters> VerifySignedRequest(
    std::string_view method, std::string_view target_uri, const HttpHeaders& headers,
    BytesView body, const std::function<std::optional<PublicKey>(std::string_view keyid)>& key_of) {
  auto verified = VerifySignedHead(method, target_uri, headers, !body.empty(), key_of);
  if (!verified) return verified;
  if (auto same = CheckSignedBody(headers, body); !same) return std::move(same).error();
  return verified;
}

}  // namespace mig
