// X.509 from outside: certificates that peers show, and the requests that strangers send to the API
// for its CA to sign. The first byte says whether the rest is PEM, or the DER of either.
#include <cstdint>

#include "crypto/certificate.h"
#include "test/fuzz/require.h"
#include "util/encoding.h"

namespace {

using namespace mig;
using fuzz::Require;

const UtcTime kNow = ParseRfc3339("2026-11-23T12:00:00Z").value();

const KeyPairPem& Ca() {
  static const KeyPairPem ca = MakeCa("fuzz", kNow, std::chrono::hours(24 * 365)).value();
  return ca;
}
const PeerAuthorities& Authorities() {
  static const KeyPairPem servers = MakeCa("servers", kNow, std::chrono::hours(24 * 365)).value();
  static const PeerAuthorities both =
      PeerAuthorities::FromPem(Ca().certificate, servers.certificate).value();
  return both;
}

std::string Pem(const char* label, BytesView der) {
  const std::string name = label;
  std::string text = "-----BEGIN " + name + "-----\n";
  const std::string base64 = EncodeBase64(der);
  for (std::size_t i = 0; i < base64.size(); i += 64) text += base64.substr(i, 64) + "\n";
  return text + "-----END " + name + "-----\n";
}

void TryCertificate(const std::string& pem) {
  const auto name = PeerNameOfPem(pem);
  const auto believed = Authorities().NameOfPem(pem);
  if (name) Require(!name->role.empty() && name->id.size() <= 64, "a name has a role and an id");
  // Nobody but us has the keys of these CAs, and neither has signed anything.
  Require(!believed, "a certificate of another CA names nobody");
  Require(NotBefore(pem).has_value() || !NotBefore(pem).error().message().empty(), "or why not");
  Require(NotAfter(pem).has_value() || !NotAfter(pem).error().message().empty(), "or why not");
  if (const auto pin = SpkiPin(pem)) Require(pin->size() == 32, "a pin is a SHA-256");
  const auto ours = IsCertificateOf(pem, Ca().key);
  Require(!ours || !*ours, "it is not of our key");
  if (const auto both = PeerAuthorities::FromPem(pem, pem)) {
    Require(!both->NameOfPem(Ca().certificate), "no CA of ours was issued by it");
  }
}

void TryRequest(const std::string& pem) {
  LeafRequest request;
  request.name = {"agent", "abc"};
  const auto certificate = SignCertificateRequest(Ca(), pem, request, kNow);
  if (!certificate) return;
  const auto name = Authorities().NameOfPem(*certificate);
  Require(name && name->role == "agent" && name->id == "abc",
          "the certificate names whom we say, whatever the request says");
  Require(*NotAfter(*certificate) == kNow + request.validity, "and lives as long as we say");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      TryCertificate(std::string(rest));
      TryRequest(std::string(rest));
      break;
    case 1:
      TryCertificate(Pem("CERTIFICATE", rest));
      break;
    default:
      TryRequest(Pem("CERTIFICATE REQUEST", rest));
  }
  return 0;
}
