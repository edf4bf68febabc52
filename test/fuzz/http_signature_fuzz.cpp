// The fields of a signed request in, one a line (Signature-Input, Signature, Content-Digest, body):
// nothing crashes, nothing that we did not sign verifies, and what we sign does.
#include "net/http_signature.h"

#include <cstdint>

#include "test/fuzz/require.h"
#include "util/text.h"

namespace {

const mig::SecretKey& Key() {
  static const mig::SecretKey key = *mig::SecretKey::FromSeed(mig::Bytes(32, 'k'));
  return key;
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text.substr(0, 64)) {
    printable += static_cast<char>(0x20 + static_cast<unsigned char>(c) % 0x5f);
  }
  return printable;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = mig::Split(text, '\n');
  const auto line = [&](std::size_t i) { return i < lines.size() ? lines[i] : ""; };

  const auto received = mig::ParseSignature(line(0), line(1));
  if (received) {
    mig::fuzz::Require(received->signature.size() == 64, "a signature has 64 bytes");
    mig::fuzz::Require(received->parameters.nonce.size() <= 64, "a nonce has its bound");
    mig::fuzz::Require(
        !mig::VerifyRequest(*received, {"GET", std::string(line(3)), std::string(line(2))},
                            Key().public_key()),
        "what was not signed does not verify");
  }
  if (mig::CheckContentDigest(line(2), line(3))) {
    mig::fuzz::Require(line(2).find(mig::ContentDigest(line(3))) != std::string_view::npos,
                       "a digest that is accepted is the body's");
  }

  const mig::SignedParts parts{"POST", "https://h/" + Printable(line(3)),
                               size % 2 == 0 ? "" : mig::ContentDigest(text)};
  const mig::SignatureParameters parameters{mig::UtcTime(std::chrono::seconds(size * 7919)),
                                            Printable(line(0)), Printable(line(1))};
  const auto fields = mig::SignRequest(parts, parameters, Key());
  const auto own = mig::ParseSignature(fields.signature_input, fields.signature);
  mig::fuzz::Require(own.has_value(), "what we write can be read");
  mig::fuzz::Require(own->parameters.nonce == parameters.nonce &&
                         own->parameters.keyid == parameters.keyid &&
                         own->parameters.created == parameters.created,
                     "parameters survive");
  mig::fuzz::Require(mig::VerifyRequest(*own, parts, Key().public_key()), "what we sign verifies");
  return 0;
}
