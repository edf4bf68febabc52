#include "proto/grant.h"

#include "proto/id_field.h"
#include "proto/strict_document.h"
#include "util/encoding.h"

namespace mig {

Expected<Grant> DecodeGrant(BytesView payload) {
  auto fields = ParseStrictDocument(payload);
  if (!fields) return std::move(fields).error().During("grant");
  json::ObjectReader in(*fields, "grant");
  Grant grant;
  grant.org = ReadId<OrgId>(in, "org");
  grant.token = ReadExactly(in, "token", 32);
  if (const json::object* tags = in.Object("tags")) {
    auto decoded = DecodeTags(*tags, in.Where("tags"));
    if (decoded) {
      grant.tags = std::move(*decoded);
    } else {
      in.Fail(std::move(decoded).error());
    }
  }
  grant.uses = static_cast<std::uint32_t>(in.Integer("uses", 1, kMaxTokenUses));
  grant.issued = in.Time("issued");
  grant.expires = in.Time("expires");
  if (in.ok() && grant.issued > grant.expires) in.Fail("expires", "lies before issued");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return grant;
}

Bytes EncodeGrant(const Grant& grant) {
  return json::Write(json::object{{"org", grant.org.Text()},
                                  {"token", EncodeBase64(grant.token)},
                                  {"tags", EncodeTags(grant.tags)},
                                  {"uses", grant.uses},
                                  {"issued", FormatRfc3339(grant.issued)},
                                  {"expires", FormatRfc3339(grant.expires)}});
}

}  // namespace mig
