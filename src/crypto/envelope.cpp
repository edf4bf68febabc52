#include "crypto/envelope.h"

#include <algorithm>

#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::string_view kDefaultForm = "ed25519";
constexpr std::size_t kMaxTypeBytes = 128;
constexpr std::size_t kMaxHintBytes = 128;  // keyid and form: hints, kept but never needed
constexpr std::size_t kMaxSignatureBytes = 16 * 1024;  // an sshsig or OpenPGP signature fits

bool IsForm(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHintBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// An envelope that breaks its format is malformed to its receiver, whichever way it does; only an
// unknown field is told apart, because a newer version may have written it.
Error AsMalformed(Error error) {
  if (error.code() == Errc::kUnsupported) return error;
  return Error(Errc::kMalformed, error.message());
}

Expected<Signature> SignatureFromJson(const json::value& item, const std::string& where) {
  if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
  json::ObjectReader in(item.get_object(), where);
  Signature signature;
  signature.keyid = in.OptionalString("keyid");
  signature.sig = in.Base64("sig");
  signature.form = in.OptionalString("form", std::string(kDefaultForm));
  if (signature.keyid.size() > kMaxHintBytes) in.Fail("keyid", "is longer than 128 bytes");
  if (signature.sig.empty() || signature.sig.size() > kMaxSignatureBytes) {
    in.Fail("sig", "is empty or longer than 16 KiB");
  }
  if (!IsForm(signature.form)) in.Fail("form", "is not a word of a-z and 0-9");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return signature;
}

}  // namespace

Bytes PreAuthEncoding(std::string_view payload_type, BytesView payload) {
  Bytes out = "DSSEv1 ";
  out.reserve(payload_type.size() + payload.size() + 64);
  out += std::to_string(payload_type.size());
  out += ' ';
  out += payload_type;
  out += ' ';
  out += std::to_string(payload.size());
  out += ' ';
  out += payload;
  return out;
}

Envelope Seal(std::string_view payload_type, Bytes payload, const SecretKey& key) {
  Envelope envelope{std::string(payload_type), std::move(payload), {}};
  AddSignature(envelope, key);
  return envelope;
}

void AddSignature(Envelope& envelope, const SecretKey& key) {
  Signature signature;
  signature.keyid = EncodeBase32(key.public_key().Fingerprint());
  signature.sig = key.Sign(PreAuthEncoding(envelope.payload_type, envelope.payload));
  envelope.signatures.push_back(std::move(signature));
}

bool SignedBy(const Envelope& envelope, const PublicKey& key) {
  const Bytes signed_bytes = PreAuthEncoding(envelope.payload_type, envelope.payload);
  return std::any_of(
      envelope.signatures.begin(), envelope.signatures.end(),
      [&](const Signature& signature) { return key.Verify(signed_bytes, signature.sig); });
}

bool SignedBy(const Envelope& envelope, const VerifyingKey& key) {
  const Bytes signed_bytes = PreAuthEncoding(envelope.payload_type, envelope.payload);
  const std::string id = EncodeBase32(key.Fingerprint());
  return std::any_of(envelope.signatures.begin(), envelope.signatures.end(),
                     [&](const Signature& signature) {
                       return (signature.keyid.empty() || signature.keyid == id) &&
                              key.Verify(signed_bytes, signature.sig);
                     });
}

Expected<Envelope> DecodeEnvelope(BytesView text) {
  if (text.size() > kMaxEnvelopeBytes) {
    return Error(Errc::kMalformed, "envelope: " + std::to_string(text.size()) + " bytes; at most " +
                                       std::to_string(kMaxEnvelopeBytes));
  }
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error().During("envelope");
  return EnvelopeFromJson(*fields, "envelope");
}

Expected<Envelope> EnvelopeFromJson(const json::object& fields, const std::string& where) {
  json::ObjectReader in(fields, where);
  Envelope envelope;
  envelope.payload_type = in.String("payloadType");
  if (envelope.payload_type.empty() || envelope.payload_type.size() > kMaxTypeBytes) {
    in.Fail("payloadType", "is empty or longer than 128 bytes");
  }
  envelope.payload = in.Base64("payload");
  const json::array* signatures = in.Array("signatures");
  if (signatures != nullptr && (signatures->empty() || signatures->size() > kMaxSignatures)) {
    in.Fail("signatures", std::to_string(signatures->size()) + " signatures; 1..32 expected");
  }
  if (auto ok = in.Finish(); !ok) return AsMalformed(std::move(ok).error());
  std::size_t size = envelope.payload.size();
  for (std::size_t i = 0; i < signatures->size(); ++i) {
    auto signature =
        SignatureFromJson((*signatures)[i], in.Where("signatures[" + std::to_string(i) + "]"));
    if (!signature) return AsMalformed(std::move(signature).error());
    size += signature->sig.size() + signature->keyid.size();
    envelope.signatures.push_back(std::move(*signature));
  }
  // An envelope inside another message is held to the bound of one that stands alone.
  if (size / 3 * 4 > kMaxEnvelopeBytes) {
    return Error(Errc::kMalformed, where + ": larger than 256 KiB");
  }
  return envelope;
}

json::object EnvelopeToJson(const Envelope& envelope) {
  json::array signatures;
  for (const Signature& signature : envelope.signatures) {
    json::object item;
    if (!signature.keyid.empty()) item["keyid"] = signature.keyid;
    item["sig"] = EncodeBase64(signature.sig);
    if (signature.form != kDefaultForm) item["form"] = signature.form;
    signatures.push_back(std::move(item));
  }
  return {{"payloadType", envelope.payload_type},
          {"payload", EncodeBase64(envelope.payload)},
          {"signatures", std::move(signatures)}};
}

Bytes EncodeEnvelope(const Envelope& envelope) { return json::Write(EnvelopeToJson(envelope)); }

}  // namespace mig
