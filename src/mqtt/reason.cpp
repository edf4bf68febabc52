#include "mqtt/reason.h"

namespace mig::mqtt {

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kSuccess:
      return "success";
    case Reason::kGrantedQos1:
      return "granted QoS 1";
    case Reason::kGrantedQos2:
      return "granted QoS 2";
    case Reason::kDisconnectWithWill:
      return "disconnect with will";
    case Reason::kNoMatchingSubscribers:
      return "no matching subscribers";
    case Reason::kNoSubscriptionExisted:
      return "no subscription existed";
    case Reason::kContinueAuthentication:
      return "continue authentication";
    case Reason::kReauthenticate:
      return "re-authenticate";
    case Reason::kUnspecifiedError:
      return "unspecified error";
    case Reason::kMalformedPacket:
      return "malformed packet";
    case Reason::kProtocolError:
      return "protocol error";
    case Reason::kImplementationSpecificError:
      return "implementation specific error";
    case Reason::kUnsupportedProtocolVersion:
      return "unsupported protocol version";
    case Reason::kClientIdentifierNotValid:
      return "client identifier not valid";
    case Reason::kBadUserNameOrPassword:
      return "bad user name or password";
    case Reason::kNotAuthorized:
      return "not authorized";
    case Reason::kServerUnavailable:
      return "server unavailable";
    case Reason::kServerBusy:
      return "server busy";
    case Reason::kBanned:
      return "banned";
    case Reason::kServerShuttingDown:
      return "server shutting down";
    case Reason::kBadAuthenticationMethod:
      return "bad authentication method";
    case Reason::kKeepAliveTimeout:
      return "keep alive timeout";
    case Reason::kSessionTakenOver:
      return "session taken over";
    case Reason::kTopicFilterInvalid:
      return "topic filter invalid";
    case Reason::kTopicNameInvalid:
      return "topic name invalid";
    case Reason::kPacketIdentifierInUse:
      return "packet identifier in use";
    case Reason::kPacketIdentifierNotFound:
      return "packet identifier not found";
    case Reason::kReceiveMaximumExceeded:
      return "receive maximum exceeded";
    case Reason::kTopicAliasInvalid:
      return "topic alias invalid";
    case Reason::kPacketTooLarge:
      return "packet too large";
    case Reason::kMessageRateTooHigh:
      return "message rate too high";
    case Reason::kQuotaExceeded:
      return "quota exceeded";
    case Reason::kAdministrativeAction:
      return "administrative action";
    case Reason::kPayloadFormatInvalid:
      return "payload format invalid";
    case Reason::kRetainNotSupported:
      return "retain not supported";
    case Reason::kQosNotSupported:
      return "QoS not supported";
    case Reason::kUseAnotherServer:
      return "use another server";
    case Reason::kServerMoved:
      return "server moved";
    case Reason::kSharedSubscriptionsNotSupported:
      return "shared subscriptions not supported";
    case Reason::kConnectionRateExceeded:
      return "connection rate exceeded";
    case Reason::kMaximumConnectTime:
      return "maximum connect time";
    case Reason::kSubscriptionIdentifiersNotSupported:
      return "subscription identifiers not supported";
    case Reason::kWildcardSubscriptionsNotSupported:
      return "wildcard subscriptions not supported";
  }
  return "unknown reason";
}

Reason ReasonOf(const Error& error) {
  switch (error.code()) {
    case Errc::kMalformed:
      return Reason::kMalformedPacket;
    case Errc::kUnsupported:
      return Reason::kUnsupportedProtocolVersion;
    case Errc::kFull:
      return Reason::kPacketTooLarge;
    default:
      return Reason::kProtocolError;
  }
}

std::uint8_t ConnectReturnCode(Reason reason) {
  switch (reason) {
    case Reason::kSuccess:
      return 0;
    case Reason::kUnsupportedProtocolVersion:
      return 1;
    case Reason::kClientIdentifierNotValid:
      return 2;
    case Reason::kBadUserNameOrPassword:
      return 4;
    case Reason::kServerUnavailable:
    case Reason::kServerBusy:
    case Reason::kServerShuttingDown:
    case Reason::kQuotaExceeded:
      return 3;
    default:
      return 5;
  }
}

}  // namespace mig::mqtt
