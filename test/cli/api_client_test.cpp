#include "cli/api_client.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "net/http_signature.h"
#include "proto/access.h"
#include "test/cli/agent_voice.h"
#include "test/cli/fake_api.h"

using namespace mig;
using namespace mig::cli;

namespace {

using Exchange = std::shared_ptr<HttpExchange>;

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");

// What the server saw. Written on its thread, read when the call has returned.
struct Seen {
  std::atomic<int> sessions = 0, requests = 0;
  Bytes session_key;
  std::string last_event_id, problem;
};

SecretKeySigner NewSigner() {
  return SecretKeySigner({"Ada <ada@example.net>", UtcTime(), SecretKey::Generate()}, "a key");
}

HttpRoute SessionRoute(Seen& seen, const Signer& investigator) {
  return {"POST", "/v1/session", 64 * 1024, [&](HttpRequest request, const Exchange& exchange) {
            const auto envelope = DecodeEnvelope(request.body);
            if (!envelope || !SignedBy(*envelope, *PublicKey::FromBytes(investigator.key().key))) {
              exchange->Reply(JsonReply(403, R"({"error":{"code":"denied","message":"no"}})"));
              return;
            }
            seen.session_key = DecodeSessionRequest(envelope->payload)->key;
            exchange->Reply(
                JsonReply(200, R"({"session":"s)" + std::to_string(++seen.sessions) + R"("})"));
          }};
}

// Whether a request is signed by the session that was opened last.
std::string SignatureProblem(const Seen& seen, const HttpRequest& request, const std::string& url) {
  const auto received =
      ParseSignature(request.headers.Get("Signature-Input"), request.headers.Get("Signature"));
  if (!received) return received.error().message();
  SignedParts parts;
  parts.method = request.method;
  parts.target_uri = url + request.target;
  parts.content_digest = request.headers.Get("Content-Digest");
  if (!request.body.empty() && !CheckContentDigest(parts.content_digest, request.body)) {
    return "digest";
  }
  if (received->parameters.keyid != "s" + std::to_string(seen.sessions)) return "keyid";
  return VerifyRequest(*received, parts, *PublicKey::FromBytes(seen.session_key)) ? ""
                                                                                  : "signature";
}

std::string EventText(const std::string& id, const std::string& kind, const std::string& data) {
  return FormatEvent(kind, id, data);
}

}  // namespace

TEST_CASE("api client: requests are signed by a session that the key opened", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  std::string url;
  AgentVoice agent("web1");
  FakeApi server(
      {SessionRoute(seen, key),
       {"POST", "/v1/targets", 64 * 1024, [&](HttpRequest request, const Exchange& exchange) {
          seen.problem = SignatureProblem(seen, request, url);
          exchange->Reply(JsonReply(200, R"({"agents":[{"id":")" + agent.id().Text() +
                                             R"(","name":"web1","status":"online","key":")" +
                                             EncodeBase64(agent.key().public_key().View()) +
                                             R"("}],"total":1})"));
        }}});
  url = server.Config().api;
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  const auto shown = api.GetTargets("all");
  REQUIRE(shown);
  CHECK(seen.problem == "");
  REQUIRE(shown->size() == 1);
  CHECK((*shown)[0].id == agent.id());
  CHECK((*shown)[0].name == "web1");
}

TEST_CASE("api client: a refusal carries the server's code and is not tried again", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  FakeApi server(
      {SessionRoute(seen, key),
       {"POST", "/v1/actions", 1024 * 1024, [&](const HttpRequest&, const Exchange& exchange) {
          ++seen.requests;
          exchange->Reply(
              JsonReply(403, R"({"error":{"code":"too_little_weight","message":"sign it"}})"));
        }}});
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  const auto posted = api.PostAction(Seal(kActionType, "{}", key).value());
  REQUIRE_FALSE(posted);
  CHECK(posted.error().code() == Errc::kDenied);
  CHECK(posted.error().message() == "too_little_weight: sign it");
  CHECK(seen.requests == 1);
  CHECK(seen.sessions == 1);

  // A key that the server does not know opens no session.
  ApiClient stranger(server.Config(), {});
  SecretKeySigner other = NewSigner();
  const auto opened = stranger.OpenSession(other);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == Errc::kDenied);
}

TEST_CASE("api client: a server that is away for a moment is waited for", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  int waited = 0;
  FakeApi server(
      {SessionRoute(seen, key),
       {"POST", "/v1/actions", 1024 * 1024, [&](const HttpRequest&, const Exchange& exchange) {
          if (++seen.requests < 4) {
            exchange->Reply(JsonReply(503, "{}"));
            return;
          }
          exchange->Reply(JsonReply(202, R"({"status":"scheduled","weight_reached":true})"));
        }}});
  ApiClient api(server.Config(), [&](const Error&) { ++waited; });
  REQUIRE(api.OpenSession(key));
  const auto posted = api.PostAction(Seal(kActionType, "{}", key).value());
  REQUIRE(posted);
  CHECK(posted->weight_reached);
  CHECK(seen.requests == 4);
  CHECK(waited == 1);  // said once, not at every attempt

  ApiClient impatient(server.Config(), {}, std::chrono::milliseconds(0));
  REQUIRE(impatient.OpenSession(key));
  seen.requests = 0;
  const auto not_waited = impatient.PostAction(Seal(kActionType, "{}", key).value());
  REQUIRE_FALSE(not_waited);
  CHECK(not_waited.error().code() == Errc::kUnavailable);
}

TEST_CASE("api client: a session that the server lost is opened anew, once", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  FakeApi server(
      {SessionRoute(seen, key),
       {"GET", "/v1/agents", 0,
        [&](const HttpRequest&, const Exchange& exchange) {
          if (seen.sessions < 2) {
            exchange->Reply(JsonReply(401, R"({"error":{"code":"denied","message":"who?"}})"));
          } else {
            exchange->Reply(JsonReply(200, R"({"agents":[]})"));
          }
        }},
       {"GET", "/v1/actions", 0, [&](const HttpRequest&, const Exchange& exchange) {
          exchange->Reply(JsonReply(401, R"({"error":{"code":"denied","message":"never"}})"));
        }}});
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  CHECK(api.ListAgents(""));
  CHECK(seen.sessions == 2);
  const auto never = api.ListActions(5);
  REQUIRE_FALSE(never);
  CHECK(never.error().code() == Errc::kDenied);
  CHECK(seen.sessions == 3);
}

TEST_CASE("api client: a stream that breaks goes on where it was", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  AgentVoice agent("web1");
  const auto part_data = [&](bool last) {
    return R"({"agent":")" + agent.id().Text() + R"(","name":"web1","key":")" +
           EncodeBase64(agent.key().public_key().View()) + R"(","envelope":)" +
           EncodeEnvelope(agent.Sign(agent.Next(kAction, last))) + "}";
  };
  const std::string first = part_data(false);
  const std::string second = part_data(true);
  FakeApi server({SessionRoute(seen, key),
                  {"GET", "/v1/actions/{id}/events", 0,
                   [&](const HttpRequest& request, const Exchange& exchange) {
                     auto sink = exchange->StartEvents();
                     std::string events;
                     if (++seen.requests == 1) {
                       events = EventText("", "progress", R"({"status":"inflight"})") +
                                EventText("17", "part", first) +
                                EventText("", "weather", "of a newer server");
                     } else {
                       seen.last_event_id = request.headers.Get("Last-Event-ID");
                       events = EventText("18", "part", second) +
                                EventText("", "end", R"({"status":"completed"})");
                     }
                     sink->Write(events, [sink](bool) {});
                   }}});
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  std::string told;
  const auto followed = api.Follow(kAction, [&](const ActionEvent& event) {
    told += "PpCE"[event.index()];
    return true;
  });
  INFO((followed ? "" : followed.error().message()));
  REQUIRE(followed);
  CHECK(told == "PppE");
  CHECK(seen.last_event_id == "17");
}

TEST_CASE("api client: a list is read to its end, and one without end is given up", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  AgentVoice first("web1"), second("web2");
  const auto row = [](const AgentVoice& agent) {
    return R"({"id":")" + agent.id().Text() + R"(","name":"x","status":"online","key":")" +
           EncodeBase64(agent.key().public_key().View()) + R"("})";
  };
  const auto page = [&](const std::string& after) {
    return after.empty() ? R"({"agents":[)" + row(first) + R"(],"next":"a b"})"
                         : R"({"agents":[)" + row(second) + "]}";
  };
  FakeApi server(
      {SessionRoute(seen, key),
       {"POST", "/v1/targets", 64 * 1024,
        [&](const HttpRequest& request, const Exchange& exchange) {
          const auto body = json::ParseObject(request.body);
          exchange->Reply(JsonReply(
              200,
              page(body->contains("after") ? std::string(body->at("after").as_string()) : "")));
        }},
       {"GET", "/v1/agents", 0,
        [&](const HttpRequest& request, const Exchange& exchange) {
          seen.problem = request.parsed.Get("target") + "/" + request.parsed.Get("after");
          exchange->Reply(JsonReply(200, page(request.parsed.Get("after"))));
        }},
       {"GET", "/v1/actions/{id}/commands", 0, [&](const HttpRequest&, const Exchange& exchange) {
          exchange->Reply(JsonReply(200, R"({"commands":[],"next":"x"})"));
        }}});
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  const auto shown = api.GetTargets("all");
  REQUIRE(shown);
  REQUIRE(shown->size() == 2);
  CHECK((*shown)[1].id == second.id());
  const auto agents = api.ListAgents("name = 'x & y'");
  REQUIRE(agents);
  CHECK(agents->size() == 2);
  CHECK(seen.problem == "name = 'x & y'/a b");
  const auto endless = api.ListCommands(kAction);
  REQUIRE_FALSE(endless);
  CHECK(endless.error().code() == Errc::kMalformed);
}

TEST_CASE("api client: an interrupt ends a stream that says nothing", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  std::promise<void> streaming;
  // The route keeps the stream, so that it goes with the server, before what it runs on.
  FakeApi server({SessionRoute(seen, key),
                  {"GET", "/v1/actions/{id}/events", 0,
                   [kept = std::shared_ptr<EventSink>()](const HttpRequest&,
                                                         const Exchange& exchange) mutable {
                     kept = exchange->StartEvents();
                     kept->Write(EventText("", "progress", R"({"status":"inflight"})"),
                                 [](bool) {});
                   }},
                  {"GET", "/v1/agents", 0, [&](const HttpRequest&, const Exchange& exchange) {
                     exchange->Reply(JsonReply(200, R"({"agents":[]})"));
                   }}});
  ApiClient api(server.Config(), {});
  REQUIRE(api.OpenSession(key));
  std::thread other([&] {
    streaming.get_future().wait();
    api.Interrupt();
  });
  const auto followed = api.Follow(kAction, [&](const ActionEvent&) {
    streaming.set_value();
    return true;
  });
  other.join();
  REQUIRE_FALSE(followed);
  CHECK(followed.error().message() == "interrupted");
  CHECK_FALSE(api.ListAgents(""));  // stays interrupted
  api.Resume();
  CHECK(api.ListAgents(""));
}

TEST_CASE("api client: a server that somebody else vouches for is not spoken to", "[cli]") {
  Seen seen;
  SecretKeySigner key = NewSigner();
  FakeApi server({SessionRoute(seen, key)});
  FakeApi other({});
  ClientConfig config = server.Config();
  config.ca = other.Config().ca;
  ApiClient api(config, {});
  const auto opened = api.OpenSession(key);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == Errc::kDenied);
  CHECK(seen.sessions == 0);
}
