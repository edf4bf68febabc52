#include "cli/action_file.h"

#include "os/files.h"
#include "util/encoding.h"

namespace mig::cli {
namespace {

// An envelope that a person indented, and the ids of a large audience.
constexpr std::size_t kMaxFileBytes = std::size_t{8} << 20;

Expected<ActionFile> Read(const Bytes& text) {
  auto document = json::ParseObject(text);
  if (!document) return std::move(document).error();
  ActionFile file;
  if (LooksLikeMigAction(*document)) {
    auto mig = ReadMigAction(*document);
    if (!mig) return std::move(mig).error();
    file.mig = std::move(*mig);
    return file;
  }
  const json::object* envelope_fields = &*document;
  json::ObjectReader in(*document, "");
  if (in.Has("action")) {
    envelope_fields = in.Object("action");
    file.audience = in.Base64("audience");
    if (auto done = in.Finish(); !done) return std::move(done).error();
  }
  auto envelope = EnvelopeFromJson(*envelope_fields, "");
  if (!envelope) return std::move(envelope).error();
  if (envelope->payload_type != kActionType) {
    return Error(Errc::kInvalid, "holds a " + envelope->payload_type + ", not an action");
  }
  file.envelope = std::move(*envelope);
  return file;
}

}  // namespace

Expected<ActionFile> LoadActionFile(const std::string& file) {
  auto text = os::ReadFile(file, kMaxFileBytes);
  if (!text) return std::move(text).error();
  auto read = Read(*text);
  if (!read) return std::move(read).error().During(file);
  return read;
}

std::string ActionFileText(const Envelope& envelope, BytesView audience) {
  if (audience.empty()) return json::WritePretty(EnvelopeToJson(envelope)) + "\n";
  return json::WritePretty(json::object{{"action", EnvelopeToJson(envelope)},
                                        {"audience", EncodeBase64(audience)}}) +
         "\n";
}

}  // namespace mig::cli
