// docs/api.md is read as a machine reads it: its paths against the table of routes, its examples
// with the code that reads or writes such things, its tables against both. That a running server
// answers like that, test/e2e/api_test.cpp shows.
#include <catch2/catch.hpp>

#include "cli/action_events.h"
#include "crypto/digest.h"
#include "net/http_signature.h"
#include "net/sse_parser.h"
#include "proto/access.h"
#include "proto/action.h"
#include "proto/policy.h"
#include "proto/result.h"
#include "roles/api/service.h"
#include "roles/api/sessions.h"
#include "roles/api/views.h"
#include "test/document.h"
#include "test/golden/golden.h"
#include "trust/policy_chain.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::api;

namespace {

const Document& Api() {
  static const Document document = ReadDocument("docs/api.md");
  return document;
}

std::string NameOf(const ApiService::Route& route) {
  return std::string(route.method) + " " + std::string(route.pattern);
}

bool IsRoute(std::string_view section) {
  return section.starts_with("GET /") || section.starts_with("POST /") ||
         section.starts_with("PUT /") || section.starts_with("HEAD /");
}

json::value ExampleOf(std::string_view name) {
  INFO("no example `" << name << "`");
  const Example* example = Api().Find(name);
  REQUIRE(example != nullptr);
  auto value = json::Parse(example->text);
  INFO((value ? std::string() : value.error().message()));
  REQUIRE(value);
  return std::move(*value);
}

Envelope EnvelopeIn(const json::value& value) {
  auto envelope = EnvelopeFromJson(value.as_object(), "example");
  INFO((envelope ? std::string() : envelope.error().message()));
  REQUIRE(envelope);
  return std::move(*envelope);
}

std::set<std::string> Names(const json::value& object) {
  std::set<std::string> names;
  for (const auto& member : object.as_object()) names.emplace(member.key());
  return names;
}

// A part as /results and the stream show it: signed by the key that its agent is named for.
void CheckPart(const json::value& part) {
  store::PartRow row;
  row.envelope = "{}";
  CHECK(Names(part) == Names(*json::Parse(ViewPart(row, {}))));
  const auto key = DecodeBase64(part.at("key").as_string());
  REQUIRE(key);
  CHECK(AgentId::FromBytes(Sha256(*key))->Text() == part.at("agent").as_string());
  const Envelope envelope = EnvelopeIn(part.at("envelope"));
  CHECK(envelope.payload_type == kResultType);
  CHECK(SignedBy(envelope, *PublicKey::FromBytes(*key)));
  CHECK(DecodeResultPart(envelope.payload));
}

PublicKey SessionKey() {
  return *PublicKey::FromBytes(DecodeSessionRequest(Golden("session.v1.json"))->key);
}

}  // namespace

TEST_CASE("api.md: it has every route, and no other", "[api]") {
  std::set<std::string> described, served;
  for (const std::string& section : Api().sections) {
    if (IsRoute(section)) CHECK(described.insert(section).second);
  }
  for (const ApiService::Route& route : ApiService::Table()) served.insert(NameOf(route));
  CHECK(described == served);
}

TEST_CASE("api.md: who may call, and how large a body may be, is what the table says", "[api]") {
  for (const ApiService::Route& route : ApiService::Table()) {
    const std::string text(Trim(Api().section_texts.at(NameOf(route))));
    INFO(NameOf(route) << "\n" << text);
    const bool any = route.caller == ApiService::Caller::kAnyone;
    const bool agents = route.caller == ApiService::Caller::kSessionOrAgent;
    CHECK(text.starts_with("Signed by a session, or by an agent") == agents);
    CHECK(text.starts_with(any ? "Open to anyone" : "Signed by a session"));
    const std::string body =
        "Body: at most " + std::to_string(route.max_body_bytes / 1024) + " KiB";
    CHECK((text.find(body) != std::string::npos) == (route.max_body_bytes > 0));
    CHECK((text.find("Body:") != std::string::npos) == (route.max_body_bytes > 0));
  }
}

TEST_CASE("api.md: every path has an example, unless wire.md has it", "[api]") {
  std::set<std::string> known = {"error", "signature-base", "signed-request"};
  for (const ApiService::Route& route : ApiService::Table()) {
    const std::string name = NameOf(route);
    known.insert(name);
    if (route.method == "POST") known.insert(name + " request");
    INFO(name);
    // Their requests and their answer are formats of their own.
    const bool in_wire = route.pattern == "/v1/enroll" || route.pattern == "/v1/renew";
    if (route.caller == ApiService::Caller::kSessionOrAgent) continue;  // content, not JSON
    CHECK((Api().Find(name) != nullptr) != in_wire);
    if (route.method == "POST") CHECK((Api().Find(name + " request") != nullptr) != in_wire);
  }
  for (const Example& example : Api().examples) {
    INFO(example.name << " in " << example.section);
    CHECK(known.count(example.name) == 1);
    if (IsRoute(example.section)) CHECK(example.name.starts_with(example.section));
  }
}

TEST_CASE("api.md: every field of an example stands in the table of its section", "[api]") {
  for (const Example& example : Api().examples) {
    const auto names = Api().fields.find(example.section);
    if (example.language != "json" || names == Api().fields.end() || !IsRoute(example.section)) {
      continue;
    }
    const json::value value = *json::Parse(example.text);
    if (value.as_object().contains("payloadType")) continue;  // an envelope: wire.md
    INFO(example.name);
    CheckFields(value, "", names->second);
  }
}

TEST_CASE("api.md: what the views write is what the examples show", "[api]") {
  std::set<std::string> action = Names(ViewAction({}, {}));
  const json::value listed = ExampleOf("GET /v1/actions");
  CHECK(Names(listed.at("actions").at(0)) == action);
  CHECK(Names(listed.at("actions").at(0).at("counters")) == Names(ViewCounters({})));
  action.insert({"people", "envelope"});
  CHECK(Names(ExampleOf("GET /v1/actions/{id}")) == action);
  CHECK(Names(ExampleOf("GET /v1/agents").at("agents").at(0)) == Names(ViewAgent({})));
  CHECK(Names(ExampleOf("GET /v1/actions/{id}/commands").at("commands").at(0)) ==
        Names(ViewCommand({})));
  CheckPart(ExampleOf("GET /v1/actions/{id}/results").at("parts").at(0));
}

TEST_CASE("api.md: its stream is one that clients read to the end", "[api]") {
  const Example* stream = Api().Find("GET /v1/actions/{id}/events");
  REQUIRE(stream != nullptr);
  SseParser parser;
  const auto events = parser.Feed(stream->text + "\n");
  REQUIRE(events);
  std::string kinds;
  StreamCursor before;
  for (const SseEvent& event : *events) {
    INFO(event.event << " " << event.data);
    const auto read = cli::ReadActionEvent(event.event, event.data);
    REQUIRE(read);
    REQUIRE(*read);
    kinds += "PpCE"[(*read)->index()];
    const auto cursor = StreamCursor::Parse(event.id);
    REQUIRE(cursor);
    CHECK((cursor->part >= before.part && cursor->finish >= before.finish));
    before = *cursor;
    const json::value data = *json::Parse(event.data);
    if (event.event == "part") CheckPart(data);
    if (event.event == "command") CHECK(Names(data) == Names(ViewCommand({})));
  }
  CHECK(kinds == "pCPE");
}

TEST_CASE("api.md: its orders are signed, and its policy verifies", "[api]") {
  const Envelope session = EnvelopeIn(ExampleOf("POST /v1/session request"));
  CHECK(session.payload == Golden("session.v1.json"));
  const auto golden = DecodePolicy(Golden("policy.v1.json"));
  REQUIRE(golden);
  CHECK(golden->people[0].id == ExampleOf("POST /v1/session").at("person").as_string());
  CHECK(SignedBy(session, *PublicKey::FromBytes(golden->people[0].keys[0].key)));
  CHECK(KeyId::FromBytes(SessionKey().Fingerprint())->Text() ==
        ExampleOf("POST /v1/session").at("session").as_string());

  const json::value documents = ExampleOf("GET /v1/policy");
  const Envelope root = EnvelopeIn(documents.at("roots").at(0));
  const auto policy = VerifyPolicyChain(OrgOf(root), {root}, EnvelopeIn(documents.at("policy")));
  INFO((policy ? std::string() : policy.error().message()));
  REQUIRE(policy);
  const Envelope posted = EnvelopeIn(ExampleOf("POST /v1/actions request"));
  const auto& investigator = policy->policy().people[0];
  CHECK(SignedBy(posted, *PublicKey::FromBytes(investigator.keys[0].key)));
  const auto action = DecodeAction(posted.payload);
  REQUIRE(action);
  CHECK(ExampleOf("POST /v1/actions").at("id").as_string() == action->id.Text());
  CHECK(ExampleOf("POST /v1/actions").at("people").at(0).as_string() == investigator.id);
}

TEST_CASE("api.md: its signed request verifies, over the text that it shows", "[api]") {
  const Example* example = Api().Find("signed-request");
  REQUIRE(example != nullptr);
  const std::size_t head_end = example->text.find("\n\n");
  REQUIRE(head_end != std::string::npos);
  const std::string head = example->text.substr(0, head_end);
  std::string body = example->text.substr(head_end + 2);
  body.pop_back();  // the line's end before the fence

  const auto lines = Split(head, '\n');
  const auto words = Split(lines[0], ' ');
  HttpHeaders headers;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(": ");
    headers.Add(std::string(lines[i].substr(0, colon)), std::string(lines[i].substr(colon + 2)));
  }
  const std::string uri = "https://" + headers.Get("Host") + std::string(words[1]);
  const auto verified = VerifySignedRequest(
      words[0], uri, headers, body,
      [](std::string_view) -> std::optional<PublicKey> { return SessionKey(); });
  INFO((verified ? std::string() : verified.error().message()));
  REQUIRE(verified);
  CHECK(verified->keyid == ExampleOf("POST /v1/session").at("session").as_string());

  const auto received = ParseSignature(headers.Get("Signature-Input"), headers.Get("Signature"));
  REQUIRE(received);
  CHECK(SignatureBase({{"@method", words[0]},
                       {"@target-uri", uri},
                       {"content-digest", headers.Get("Content-Digest")}},
                      received->raw_parameters) +
            "\n" ==
        Api().Find("signature-base")->text);
}

TEST_CASE("api.md: errors have the status and code that the table gives", "[api]") {
  CHECK(Names(ExampleOf("error").at("error")) ==
        Names(json::Parse(ErrorAnswer(500, "x", "y").body)->at("error")));
  const std::string& table = Api().section_texts.at("Errors");
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const auto code = static_cast<Errc>(i);
    const std::string status = "| " + std::to_string(ErrorAnswer(Error(code, "")).status) + " |";
    const std::string name = "`" + std::string(ErrcName(code)) + "`";
    bool found = false;
    for (const std::string_view row : Split(table, '\n')) {
      const auto cells = Split(row, '|');
      found = found || (row.starts_with(status) && cells.size() > 2 &&
                        cells[2].find(name) != std::string_view::npos);
    }
    INFO(status << " " << name);
    CHECK(found);
  }
}

TEST_CASE("api.md: its bounds are those of the code", "[api]") {
  const auto says = [](const std::string& what) {
    INFO(what);
    CHECK(Api().text.find(what) != std::string::npos);
  };
  const auto seconds = [](auto duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) +
           " s";
  };
  const ApiConfig::Limits limits;
  const HttpServerOptions server;
  says("| " + std::to_string(limits.connections) + ", " +
       std::to_string(limits.connections_per_address) + " (`limits` in `api.yaml`) |");
  says("| event streams | " + std::to_string(limits.streams) + " ");
  says(seconds(limits.read_deadline) + " each (`limits.read_deadline`)");
  says("| " + seconds(limits.idle_deadline) + " (`limits.idle_deadline`)");
  says("| an answer | " + seconds(server.answer_deadline) + " |");
  says("| a client that does not read | " + seconds(server.write_deadline) + " |");
  says("within " + std::to_string(kMaxSkew.count()) + " minutes of the server's clock");
  says("at most " + std::to_string(kMaxSessionValidity / std::chrono::hours(1)) + " hours");
}
