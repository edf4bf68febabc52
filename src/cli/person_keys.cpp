#include "cli/person_keys.h"

#include "cli/key_line.h"
#include "crypto/key_file.h"
#include "crypto/ssh_key.h"
#include "util/text.h"

namespace mig::cli {
namespace {

// Both begin like nothing that OpenPGP writes.
bool IsLine(std::string_view content) {
  return content.starts_with("mig-") || ssh::LooksLikePublicLine(content);
}

}  // namespace

PersonKeys KeysIn(const openpgp::Certificate& certificate) {
  PersonKeys person;
  for (const std::string& name : certificate.user_ids) {
    if (!IsKeyName(name)) continue;
    person.name = name;
    break;
  }
  for (const openpgp::CertificateKey& key : certificate.keys) {
    if (key.MaySign() && key.material) {
      person.keys.push_back({std::string(key.material->Type()), key.material->Material()});
    } else {
      person.left_out.push_back((key.is_primary ? "primary key " : "subkey ") + key.fingerprint +
                                ": " + key.why_not);
    }
  }
  return person;
}

std::string RemedyFor(const openpgp::Certificate& certificate) {
  const std::string own = "a key of mig's: mig key new";
  if (!certificate.vouches || certificate.keys.empty()) return own;
  return "a new subkey: gpg --quick-add-key " + certificate.keys.front().fingerprint +
         " ed25519 sign; or " + own;
}

Expected<PersonKeys> ReadPersonKeys(std::string_view content, UtcTime now) {
  if (IsLine(content)) {
    auto line = ReadKeyLine(content.substr(0, content.find('\n')));
    if (!line) return std::move(line).error();
    return PersonKeys{std::move(line->name), {std::move(line->key)}, {}};
  }
  auto certificates = openpgp::ReadCertificates(content, now);
  if (!certificates) {
    return std::move(certificates).error().During("neither a public line nor an OpenPGP key");
  }
  if (certificates->size() != 1) {
    return Error(Errc::kInvalid, "holds " + Count(certificates->size(), "OpenPGP key") +
                                     ", and it takes the one of this person: gpg --export --armor "
                                     "FINGERPRINT");
  }
  PersonKeys person = KeysIn(certificates->front());
  if (!person.keys.empty()) return person;
  return Error(Errc::kInvalid, "no key in it can sign for mig (" + Join(person.left_out, "; ") +
                                   "). What will do is " + RemedyFor(certificates->front()));
}

}  // namespace mig::cli
