#include "trust/ledger_anchor.h"

#include <charconv>

#include "crypto/digest.h"
#include "util/encoding.h"

namespace mig {
namespace {

constexpr std::size_t kHeadBytes = 32;

// Takes over what all three kinds of words have in common.
template <typename Word>
Expected<void> TakeWord(const Expected<Word>& word, std::string_view what, LedgerAnchor& anchor) {
  if (!word) return word.error();
  if (word->agent != anchor.agent) {
    return Error(Errc::kDenied, "it is signed by agent " + anchor.agent.Text() +
                                    " and speaks of agent " + word->agent.Text());
  }
  anchor.mark = word->ledger;
  anchor.time = word->time;
  anchor.what = what;
  if constexpr (requires { word->action; }) anchor.action = word->action;
  return {};
}

Expected<void> TakePayload(const Envelope& envelope, LedgerAnchor& anchor) {
  if (envelope.payload_type == kResultType) {
    return TakeWord(DecodeResultPart(envelope.payload), "result", anchor);
  }
  if (envelope.payload_type == kReceiptType) {
    return TakeWord(DecodeReceipt(envelope.payload), "receipt", anchor);
  }
  if (envelope.payload_type == kHeartbeatType) {
    return TakeWord(DecodeHeartbeat(envelope.payload), "heartbeat", anchor);
  }
  return Error(Errc::kUnsupported,
               "a payload of type `" + envelope.payload_type + "` says nothing of a ledger");
}

}  // namespace

Expected<LedgerAnchor> AnchorIn(Envelope envelope, BytesView key, std::string held_by) {
  auto public_key = PublicKey::FromBytes(key);
  if (!public_key) return std::move(public_key).error();
  LedgerAnchor anchor;
  anchor.agent = *AgentId::FromBytes(public_key->Fingerprint());
  anchor.key = Bytes(key);
  anchor.held_by = std::move(held_by);
  if (!SignedBy(envelope, *public_key)) {
    return Error(Errc::kDenied, "it is not signed by the key that stands beside it");
  }
  if (auto taken = TakePayload(envelope, anchor); !taken) return std::move(taken).error();
  anchor.envelope = std::move(envelope);
  return anchor;
}

json::object AnchorToJson(const LedgerAnchor& anchor) {
  json::object fields{{"agent", anchor.agent.Text()},
                      {"length", json::FromUint(anchor.mark.length)},
                      {"head", EncodeHex(anchor.mark.head)},
                      {"time", FormatRfc3339(anchor.time)},
                      {"what", anchor.what}};
  if (anchor.action) fields["action"] = anchor.action->Text();
  if (!anchor.held_by.empty()) fields["held_by"] = json::FromName(anchor.held_by);
  fields["key"] = EncodeBase64(anchor.key);
  fields["envelope"] = EnvelopeToJson(anchor.envelope);
  return fields;
}

Expected<LedgerAnchor> AnchorFromJson(const json::object& fields) {
  json::ObjectReader in(fields, "anchor", json::ObjectReader::Unknown::kIgnore);
  const Bytes key = in.Base64("key");
  Bytes held_by = in.OptionalName("held_by");
  const json::object* envelope_fields = in.Object("envelope");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  auto envelope = EnvelopeFromJson(*envelope_fields, "envelope");
  if (!envelope) return std::move(envelope).error();
  return AnchorIn(std::move(*envelope), key, std::move(held_by));
}

Bytes WriteAnchors(const std::vector<LedgerAnchor>& anchors) {
  Bytes text = "{\"anchors\":[";
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    text += i == 0 ? "\n" : ",\n";
    text += json::Write(AnchorToJson(anchors[i]));
  }
  return text + "\n]}\n";
}

Expected<std::vector<LedgerAnchor>> ReadAnchors(BytesView text) {
  auto document = json::ParseObject(text);
  if (!document) return std::move(document).error();
  json::ObjectReader in(*document, "", json::ObjectReader::Unknown::kIgnore);
  const json::array* list = in.Array("anchors");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  if (list->size() > kMaxAnchors) {
    return Error(Errc::kInvalid, "anchors: more than " + std::to_string(kMaxAnchors));
  }
  std::vector<LedgerAnchor> anchors;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = "anchors[" + std::to_string(i) + "]";
    const json::object* fields = (*list)[i].if_object();
    if (fields == nullptr) return Error(Errc::kMalformed, where + ": is not an object");
    auto anchor = AnchorFromJson(*fields);
    if (!anchor) return std::move(anchor).error().During(where);
    anchors.push_back(std::move(*anchor));
  }
  return anchors;
}

Expected<LedgerMark> ParseMark(std::string_view text) {
  const auto refuse = [&] {
    return Error(Errc::kInvalid, "`" + std::string(text.substr(0, 80)) +
                                     "` is not LENGTH:HEAD, a number of entries and 64 hex digits");
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return refuse();
  LedgerMark mark;
  const char* const end = text.data() + colon;
  const auto [stop, error] = std::from_chars(text.data(), end, mark.length);
  auto head = DecodeHex(text.substr(colon + 1));
  if (error != std::errc() || stop != end || !head || head->size() != kHeadBytes) return refuse();
  mark.head = std::move(*head);
  return mark;
}

std::string FormatMark(const LedgerMark& mark) {
  return std::to_string(mark.length) + ":" + EncodeHex(mark.head);
}

}  // namespace mig
