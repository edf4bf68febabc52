#include "proto/freshness.h"

#include "proto/id_field.h"
#include "proto/strict_document.h"
#include "util/encoding.h"

namespace mig {

Expected<Freshness> DecodeFreshness(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("freshness");
  json::ObjectReader in(*fields, "freshness");
  Freshness freshness;
  freshness.org = ReadId<OrgId>(in, "org");
  freshness.policy = in.Uint64("policy");
  freshness.digest = ReadExactly(in, "digest", 32);
  freshness.time = in.Time("time");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return freshness;
}

Bytes EncodeFreshness(const Freshness& freshness) {
  return json::Write(json::object{{"org", freshness.org.Text()},
                                  {"policy", json::FromUint(freshness.policy)},
                                  {"digest", EncodeBase64(freshness.digest)},
                                  {"time", FormatRfc3339(freshness.time)}});
}

}  // namespace mig
