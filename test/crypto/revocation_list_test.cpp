#include "crypto/revocation_list.h"

#include "test/revocations.h"

namespace mig {
namespace {

using namespace std::chrono_literals;

const UtcTime kNow = std::chrono::floor<std::chrono::seconds>(Now());

KeyPairPem Ca(const char* name) { return MakeCa(name, kNow, 24h * 365).value(); }
std::string Leaf(const KeyPairPem& ca, const char* id) {
  return IssueLeaf(ca, LeafRequest{{"agent", id}}, kNow).value().certificate;
}
bool Revokes(const RevocationList& list, const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  REQUIRE(certificate != nullptr);
  const bool revokes = list.Revokes(certificate);
  X509_free(certificate);
  BIO_free(bio);
  return revokes;
}
RevocationList Load(const std::vector<std::string>& lists, const std::string& authorities) {
  auto list = RevocationList::FromPem(lists, authorities);
  if (!list) FAIL(list.error().message());
  return std::move(*list);
}

TEST_CASE("revocation list: revokes what it names, of its own CA", "[crypto]") {
  const auto agents = Ca("agents");
  const auto servers = Ca("servers");
  const auto bad = Leaf(agents, "bad");
  const auto good = Leaf(agents, "good");
  const auto other = Leaf(servers, "other");
  const auto both = agents.certificate + servers.certificate;
  const auto list = Load({MakeRevocationList(agents, {{bad, other}, kNow})}, both);
  CHECK(Revokes(list, bad));
  CHECK_FALSE(Revokes(list, good));
  CHECK_FALSE(Revokes(list, other));  // not for this CA to say
  CHECK(list.size() == 2);
  CHECK(list.expires() == kNow + 24h);
  const auto two = Load({MakeRevocationList(agents, {{bad}, kNow}) +
                         MakeRevocationList(servers, {{other}, kNow, 1h})},
                        both);
  CHECK(Revokes(two, bad));
  CHECK(Revokes(two, other));
  CHECK(two.expires() == kNow + 1h);
  const auto none = Load({}, both);
  CHECK_FALSE(Revokes(none, bad));
  CHECK(none.expires() > kNow + 24h * 365 * 100);
}

TEST_CASE("revocation list: only our CAs may revoke", "[crypto]") {
  const auto agents = Ca("agents");
  const auto impostor = Ca("agents");  // the same name, another key
  const auto leaf = Leaf(agents, "a");
  const auto text = MakeRevocationList(impostor, {{leaf}, kNow});
  const auto list = RevocationList::FromPem({text}, agents.certificate);
  REQUIRE_FALSE(list);
  CHECK(list.error().code() == Errc::kDenied);
  CHECK_THAT(list.error().message(), Catch::Matchers::Contains("CN=agents"));
  // While a CA is replaced both may.
  const auto both = Load({text}, agents.certificate + impostor.certificate);
  CHECK(both.size() == 1);
}

TEST_CASE("revocation list: a list of changes is not taken for the whole", "[crypto]") {
  const auto agents = Ca("agents");
  for (const int extension : {NID_delta_crl, NID_crl_number}) {
    RevocationRequest request{{}, kNow};
    request.critical_extension = extension;
    const auto list =
        RevocationList::FromPem({MakeRevocationList(agents, request)}, agents.certificate);
    REQUIRE_FALSE(list);
    CHECK(list.error().code() == Errc::kUnsupported);
  }
}

TEST_CASE("revocation list: what is none, or is damaged, revokes no less than before", "[crypto]") {
  const auto agents = Ca("agents");
  const auto text = MakeRevocationList(agents, {{Leaf(agents, "a")}, kNow});
  for (std::string broken : {std::string(), std::string("nonsense"), agents.certificate,
                             text.substr(0, text.size() / 2), text + text.substr(0, 200)}) {
    const auto list = RevocationList::FromPem({broken}, agents.certificate);
    REQUIRE_FALSE(list);
    CHECK(list.error().code() == Errc::kMalformed);
  }
}

TEST_CASE("revocation list: an older, expired or missing one takes no other's place", "[crypto]") {
  const auto agents = Ca("agents");
  const auto servers = Ca("servers");
  const auto both = agents.certificate + servers.certificate;
  const auto of = [](const KeyPairPem& ca, UtcTime made, std::chrono::seconds validity = 24h) {
    return MakeRevocationList(ca, {{}, made, validity});
  };
  const auto present = Load({of(agents, kNow - 1h), of(servers, kNow - 1h)}, both);
  const auto code = [&](const std::vector<std::string>& lists, const std::string& cas) {
    const auto allowed = Load(lists, cas).MayReplace(present, kNow);
    return allowed ? Errc::kInternal : allowed.error().code();
  };
  constexpr auto kAllowed = Errc::kInternal;
  CHECK(code({of(agents, kNow), of(servers, kNow - 1h)}, both) == kAllowed);
  CHECK(code({of(agents, kNow), of(servers, kNow - 2h)}, both) == Errc::kInvalid);
  CHECK(code({of(agents, kNow)}, both) == Errc::kInvalid);
  CHECK(code({}, both) == Errc::kInvalid);
  CHECK(code({of(agents, kNow - 30min, 10min), of(servers, kNow)}, both) == Errc::kExpired);
  CHECK(code({of(agents, kNow)}, agents.certificate) == kAllowed);  // the other CA is gone
}

}  // namespace
}  // namespace mig
