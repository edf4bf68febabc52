#include "crypto/ssh_agent_protocol.h"

#include <cassert>
#include <cstdint>

#include "crypto/ssh_wire.h"
#include "util/text.h"

namespace mig::ssh {
namespace {

// draft-miller-ssh-agent section 6.1.
constexpr std::uint8_t kFailure = 5;
constexpr std::uint8_t kSuccess = 6;
constexpr std::uint8_t kRequestIdentities = 11;
constexpr std::uint8_t kIdentitiesAnswer = 12;
constexpr std::uint8_t kSignRequest = 13;
constexpr std::uint8_t kSignResponse = 14;
constexpr std::uint8_t kRemoveAll = 19;

constexpr std::size_t kMaxKeyBlob = 16 * 1024;
constexpr std::size_t kMaxComment = 4 * 1024;
constexpr std::size_t kMaxSignature = 4 * 1024;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::string_view kWhat = "the ssh-agent's answer";

Bytes Framed(std::uint8_t type, BytesView content) {
  Bytes message;
  AppendUint32(message, static_cast<std::uint32_t>(content.size() + 1));
  message += static_cast<char>(type);
  return message.append(content);
}

void ExpectType(Reader& in, std::uint8_t type) {
  const std::uint8_t got = in.Byte("type");
  if (got == type) return;
  if (got == kFailure) {
    in.Fail(Errc::kDenied, "it refused");
  } else {
    in.Fail(Errc::kMalformed,
            "is of type " + std::to_string(got) + ", not " + std::to_string(type));
  }
}

}  // namespace

Bytes IdentitiesRequest() { return Framed(kRequestIdentities, {}); }

bool CanAgentSign(BytesView key_blob, BytesView data) {
  constexpr std::size_t kAround = 1 + 4 + 4 + 4;  // type, two lengths, flags
  return key_blob.size() <= kMaxKeyBlob && data.size() <= kMaxAgentMessage - kMaxKeyBlob - kAround;
}

Bytes SignRequest(BytesView key_blob, BytesView data) {
  assert(CanAgentSign(key_blob, data) && "the caller asked first");
  Bytes content;
  AppendString(content, key_blob);
  AppendString(content, data);
  AppendUint32(content, 0);  // flags are for RSA
  return Framed(kSignRequest, content);
}

Expected<std::size_t> AnswerBytes(BytesView four_bytes) {
  Reader in(four_bytes, kWhat);
  const std::uint32_t size = in.Uint32("length");
  if (in.ok() && (size == 0 || size > kMaxAgentMessage)) {
    in.Fail(Errc::kMalformed, "has " + std::to_string(size) + " bytes");
  }
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return std::size_t{size};
}

Expected<std::vector<AgentIdentity>> ReadIdentitiesAnswer(BytesView body) {
  Reader in(body, kWhat);
  ExpectType(in, kIdentitiesAnswer);
  const std::uint32_t count = in.Uint32("number of keys");
  if (count > kMaxAgentIdentities) in.Fail(Errc::kMalformed, "has too many keys");
  std::vector<AgentIdentity> identities;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    AgentIdentity identity;
    identity.key_blob = Bytes(in.String("key", kMaxKeyBlob));
    identity.comment = std::string(in.String("comment", kMaxComment));
    identities.push_back(std::move(identity));
  }
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return identities;
}

Expected<Bytes> ReadSignAnswer(BytesView body) {
  Reader in(body, kWhat);
  ExpectType(in, kSignResponse);
  Bytes signature(in.String("signature", kMaxSignature));
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return signature;
}

Expected<AgentRequest> ReadRequest(BytesView body) {
  Reader in(body, "the request");
  AgentRequest request;
  const std::uint8_t type = in.Byte("type");
  if (type == kRequestIdentities || type == kRemoveAll) {
    request.kind = type == kRemoveAll ? AgentRequest::Kind::kForget : AgentRequest::Kind::kList;
  } else if (type == kSignRequest) {
    request.kind = AgentRequest::Kind::kSign;
    request.key_blob = Bytes(in.String("key", kMaxKeyBlob));
    request.data = Bytes(in.String("data", kMaxAgentMessage));
    in.Uint32("flags");
  } else if (in.ok()) {
    return request;  // whatever follows
  }
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return request;
}

Bytes ForgetRequest() { return Framed(kRemoveAll, {}); }

Bytes IdentitiesAnswer(const std::vector<AgentIdentity>& identities) {
  Bytes content;
  AppendUint32(content, static_cast<std::uint32_t>(identities.size()));
  for (const AgentIdentity& identity : identities) {
    AppendString(content, identity.key_blob);
    AppendString(content, identity.comment);
  }
  return Framed(kIdentitiesAnswer, content);
}

Bytes SignAnswer(std::string_view algorithm, BytesView raw_signature) {
  Bytes signature;
  AppendString(signature, algorithm);
  AppendString(signature, raw_signature);
  Bytes content;
  AppendString(content, signature);
  return Framed(kSignResponse, content);
}

Bytes SuccessAnswer() { return Framed(kSuccess, {}); }
Bytes FailureAnswer() { return Framed(kFailure, {}); }

Expected<Bytes> RawSignature(BytesView agent_signature) {
  Reader in(agent_signature, kWhat);
  const BytesView algorithm = in.String("algorithm", 64);
  if (in.ok() && algorithm != "ssh-ed25519") {
    in.Fail(Errc::kInvalid,
            "is a signature of the type `" + EscapeForTerminal(algorithm) + "`, not ssh-ed25519");
  }
  Bytes raw(in.String("signature", kSignatureBytes));
  if (raw.size() != kSignatureBytes) in.Fail(Errc::kMalformed, "has a signature without 64 bytes");
  if (auto end = in.Finish(); !end) return std::move(end).error();
  return raw;
}

}  // namespace mig::ssh
