// MQTT reason codes (MQTT 5.0 section 2.4) and the return codes of a 3.1.1 CONNACK. On the wire:
// never renumber.
#pragma once

#include <cstdint>
#include <string_view>

#include "util/expected.h"

namespace mig::mqtt {

enum class Reason : std::uint8_t {
  kSuccess = 0x00,  // also: normal disconnection, granted QoS 0
  kGrantedQos1 = 0x01,
  kGrantedQos2 = 0x02,
  kDisconnectWithWill = 0x04,
  kNoMatchingSubscribers = 0x10,
  kNoSubscriptionExisted = 0x11,
  kContinueAuthentication = 0x18,
  kReauthenticate = 0x19,
  kUnspecifiedError = 0x80,
  kMalformedPacket = 0x81,
  kProtocolError = 0x82,
  kImplementationSpecificError = 0x83,
  kUnsupportedProtocolVersion = 0x84,
  kClientIdentifierNotValid = 0x85,
  kBadUserNameOrPassword = 0x86,
  kNotAuthorized = 0x87,
  kServerUnavailable = 0x88,
  kServerBusy = 0x89,
  kBanned = 0x8A,
  kServerShuttingDown = 0x8B,
  kBadAuthenticationMethod = 0x8C,
  kKeepAliveTimeout = 0x8D,
  kSessionTakenOver = 0x8E,
  kTopicFilterInvalid = 0x8F,
  kTopicNameInvalid = 0x90,
  kPacketIdentifierInUse = 0x91,
  kPacketIdentifierNotFound = 0x92,
  kReceiveMaximumExceeded = 0x93,
  kTopicAliasInvalid = 0x94,
  kPacketTooLarge = 0x95,
  kMessageRateTooHigh = 0x96,
  kQuotaExceeded = 0x97,
  kAdministrativeAction = 0x98,
  kPayloadFormatInvalid = 0x99,
  kRetainNotSupported = 0x9A,
  kQosNotSupported = 0x9B,
  kUseAnotherServer = 0x9C,
  kServerMoved = 0x9D,
  kSharedSubscriptionsNotSupported = 0x9E,
  kConnectionRateExceeded = 0x9F,
  kMaximumConnectTime = 0xA0,
  kSubscriptionIdentifiersNotSupported = 0xA1,
  kWildcardSubscriptionsNotSupported = 0xA2,
};

// True for the codes that say "refused" or "failed" (section 2.4).
constexpr bool IsError(Reason reason) { return static_cast<std::uint8_t>(reason) >= 0x80; }

// The standard's name, for logs: "quota exceeded".
std::string_view ReasonName(Reason reason);

// What a decoding error is called towards the peer: kMalformed -> 0x81, kInvalid -> 0x82,
// kUnsupported -> 0x84, kFull -> 0x95.
Reason ReasonOf(const Error& error);

// The 3.1.1 return code nearest to a refusal (MQTT 3.1.1 table 3.1).
std::uint8_t ConnectReturnCode(Reason reason);

}  // namespace mig::mqtt
