// Attachments fetched from an API over real TLS that answers as the test says, and the runner that
// waits for them.
#include "roles/agent/attachment_source.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "net/http_server.h"
#include "net/http_signature.h"
#include "roles/agent/runner.h"
#include "test/net/certificates.h"
#include "test/net/run_until.h"
#include "test/roles/agent/agent_scene.h"
#include "util/encoding.h"

namespace mig::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct Source {
  AgentScene agent;
  Certificates certificates;
  boost::asio::io_context io{1};
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
  std::map<std::string, Bytes> contents;  // by digest in hex
  std::vector<std::string> ranges;        // that were asked for
  std::function<bool(std::shared_ptr<HttpExchange>&)> instead = [](auto&) { return false; };
  std::uint64_t cache_bytes = 64u << 20;
  std::unique_ptr<AttachmentSource> source;

  Source() {
    Serve();
    Restart();
  }
  ~Source() { source.reset(); }

  void Serve() {
    HttpServerOptions options;
    options.listen = "127.0.0.1:" + std::to_string(port);
    options.certificate_file = certificates.File("server.crt");
    options.key_file = certificates.File("server.key");
    std::vector<HttpRoute> routes;
    routes.push_back({"GET", "/v1/attachments/{sha256}", 0,
                      [this](HttpRequest request, std::shared_ptr<HttpExchange> exchange) {
                        Answer(request, std::move(exchange));
                      }});
    auto started = HttpServer::Start(io, std::move(options), std::move(routes));
    if (!started) FAIL(started.error().message());
    server = std::move(*started);
    port = server->port();
  }

  void Restart() {
    AttachmentSource::Options options;
    options.api.url = "https://localhost:" + std::to_string(port);
    options.api.ca_file = certificates.File("servers-ca.crt");
    options.folder = agent.folder / "attachments";
    options.cache_bytes = cache_bytes;
    source.reset();
    source = std::make_unique<AttachmentSource>(io, agent.identity, options);
  }

  void Answer(const HttpRequest& request, std::shared_ptr<HttpExchange> exchange) {
    const auto key_of = [&](std::string_view id) {
      CHECK(id == agent.identity.id().Text());
      return std::optional(agent.identity.key().public_key());
    };
    CHECK(VerifySignedRequest("GET", "https://" + request.headers.Get("Host") + request.target,
                              request.headers, "", key_of));
    const std::string range = request.headers.Get("Range");
    ranges.push_back(range);
    if (instead(exchange)) return;
    const auto found = contents.find(request.parameters[0]);
    if (found == contents.end()) {
      exchange->Reply({404, {}, R"({"error":{"code":"not_found","message":"gone away"}})"});
      return;
    }
    const std::size_t first = std::stoul(range.substr(6));
    const std::size_t last = std::stoul(range.substr(range.find('-') + 1));
    const Bytes& whole = found->second;
    exchange->Reply(
        {206,
         {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                std::to_string(whole.size())}},
         whole.substr(first, last - first + 1)});
  }

  Attachment Offer(std::string name, Bytes content) {
    const Bytes digest = Sha256(content);
    Attachment attachment{std::move(name), digest, content.size()};
    contents[EncodeHex(digest)] = std::move(content);
    return attachment;
  }

  struct Pending {
    std::shared_ptr<AttachmentWait> wait;
    std::shared_ptr<std::optional<Expected<Bytes>>> outcome;
  };
  Pending Begin(const Attachment& attachment, std::chrono::milliseconds time = 30s) {
    Pending pending{std::make_shared<AttachmentWait>(io),
                    std::make_shared<std::optional<Expected<Bytes>>>()};
    boost::asio::co_spawn(
        io,
        [](AttachmentSource& from, Attachment what, steady_clock::time_point deadline,
           Pending out) -> boost::asio::awaitable<void> {
          *out.outcome = co_await from.Get(what, deadline, out.wait);
        }(*source, attachment, steady_clock::now() + time, pending),
        [](const std::exception_ptr& failed) { REQUIRE_FALSE(failed); });
    return pending;
  }
  Expected<Bytes> End(const Pending& pending) {
    REQUIRE(RunUntil(io, [&] { return pending.outcome->has_value(); }));
    return **pending.outcome;
  }
  Expected<Bytes> Get(const Attachment& attachment, std::chrono::milliseconds time = 30s) {
    return End(Begin(attachment, time));
  }
};

Bytes Long(std::size_t bytes) {
  Bytes text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + "\n";
  text.resize(bytes);
  return text;
}

std::string MessageOf(const Expected<Bytes>& outcome) {
  return outcome ? "" : outcome.error().message();
}

TEST_CASE("attachments: fetched in pieces, then had without the API", "[agent]") {
  Source source;
  const Bytes content = Long(600'000);
  const Attachment attachment = source.Offer("list", content);
  CHECK(*source.Get(attachment) == content);
  CHECK(source.ranges ==
        std::vector<std::string>{"bytes=0-262143", "bytes=262144-524287", "bytes=524288-599999"});
  source.server.reset();
  source.Restart();  // also after a restart
  CHECK(*source.Get(attachment) == content);
  CHECK(source.ranges.size() == 3);
}

TEST_CASE("attachments: two that want the same wait for one transfer", "[agent]") {
  Source source;
  const Attachment attachment = source.Offer("list", Long(600'000));
  const auto first = source.Begin(attachment);
  const auto second = source.Begin(attachment);
  CHECK(source.End(first));
  CHECK(source.End(second));
  CHECK(source.ranges.size() == 3);
}

TEST_CASE("attachments: a transfer that broke goes on where it was, also after a restart",
          "[agent]") {
  Source source;
  const Bytes content = Long(600'000);
  const Attachment attachment = source.Offer("list", content);
  source.instead = [&](std::shared_ptr<HttpExchange>&) {
    if (source.ranges.size() == 2) source.server->Stop();
    return false;
  };
  const auto broken = source.Begin(attachment, 60s);
  REQUIRE(RunUntil(source.io, [&] { return source.ranges.size() == 2; }));
  source.server.reset();
  broken.wait->Cancel();
  CHECK_FALSE(source.End(broken));
  source.instead = [](auto&) { return false; };
  source.Serve();
  source.Restart();
  source.ranges.clear();
  CHECK(*source.Get(attachment) == content);
  REQUIRE_FALSE(source.ranges.empty());
  CHECK(source.ranges[0] != "bytes=0-262143");
}

TEST_CASE("attachments: an API that is away is asked again until the time is over", "[agent]") {
  Source source;
  const Attachment attachment = source.Offer("list", "a\n");
  source.instead = [&](std::shared_ptr<HttpExchange>& exchange) {
    if (source.ranges.size() > 2) return false;
    exchange->Reply({503, {}, R"({"error":{"code":"full","message":"later"}})"});
    return true;
  };
  CHECK(*source.Get(attachment) == "a\n");
  CHECK(source.ranges.size() == 3);

  source.server.reset();
  const auto late = source.Get({"other", Bytes(32, 'x'), 5}, 300ms);
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == Errc::kTimeout);
  CHECK(MessageOf(late).find("attachment `other`: not fetched before the action's time was over") ==
        0);
}

TEST_CASE("attachments: an API that says no is not asked for ever", "[agent]") {
  Source source;
  const auto refused = source.Get({"list", Bytes(32, 'x'), 5});
  CHECK(MessageOf(refused) == "attachment `list`: the API answers 404: gone away");
  CHECK(source.ranges.size() == AttachmentSource::kMaxRefusals);
}

TEST_CASE("attachments: other bytes are refused, with both digests", "[agent]") {
  Source source;
  const Attachment attachment = source.Offer("list", "good\n");
  source.contents.begin()->second = "evil\n";
  const auto refused = source.Get(attachment);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kDenied);
  CHECK(MessageOf(refused) == "attachment `list`: the bytes have the SHA-256 " +
                                  EncodeHex(Sha256("evil\n")) + ", expected is " +
                                  EncodeHex(Sha256("good\n")));
  source.contents.begin()->second = "good\n";
  CHECK(*source.Get(attachment) == "good\n");  // nothing of the evil is left
}

TEST_CASE("attachments: more than was signed, or another place, is refused", "[agent]") {
  Source source;
  const Attachment attachment = source.Offer("list", "good\n");
  HttpReply reply;
  source.instead = [&](std::shared_ptr<HttpExchange>& exchange) {
    exchange->Reply(reply);
    return true;
  };
  reply = {206, {{"Content-Range", "bytes 0-5/6"}}, "good\n\n"};
  CHECK(MessageOf(source.Get(attachment)) ==
        "attachment `list`: the API sends 6 bytes where at most 5 are left");
  reply = {206, {{"Content-Range", "bytes 1-4/5"}}, "ood\n"};
  CHECK(MessageOf(source.Get(attachment)) ==
        "attachment `list`: the API sends `bytes 1-4/5`, expected is `bytes 0-3/5`");
  reply = {200, {}, ""};
  CHECK_FALSE(source.Get(attachment));
}

TEST_CASE("attachments: what was altered in the cache is noticed and fetched again", "[agent]") {
  Source source;
  const Attachment attachment = source.Offer("list", "good\n");
  CHECK(source.Get(attachment));
  source.agent.folder.Write("attachments/" + EncodeHex(attachment.sha256), "evil\n");
  CHECK(*source.Get(attachment) == "good\n");
  CHECK(source.ranges.size() == 2);
}

TEST_CASE("attachments: a part that was spoilt here costs one more transfer", "[agent]") {
  Source source;
  const Bytes content = Long(300'000);
  const Attachment attachment = source.Offer("list", content);
  source.agent.folder.Write("attachments/" + EncodeHex(attachment.sha256) + ".agent",
                            Bytes(262'144, 'x'));
  std::filesystem::permissions(source.agent.folder / "attachments",
                               std::filesystem::perms::owner_all);
  source.Restart();
  CHECK(*source.Get(attachment) == content);
  CHECK(source.ranges ==
        std::vector<std::string>{"bytes=262144-299999", "bytes=0-262143", "bytes=262144-299999"});
}

TEST_CASE("attachments: the cache stays within its bound", "[agent]") {
  Source source;
  source.cache_bytes = 500'000;
  source.Restart();
  for (char name = 'a'; name < 'e'; ++name) {
    CHECK(source.Get(source.Offer(std::string(1, name), Bytes(200'000, name))));
  }
  std::uint64_t bytes = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(source.agent.folder / "attachments")) {
    bytes += file.file_size();
  }
  CHECK(bytes <= 500'000);
  CHECK(MessageOf(source.Get(source.Offer("big", Bytes(500'001, 'x')))).find("has no room") !=
        std::string::npos);
}

// ---- The runner.

struct Running : Source {
  std::vector<ActionId> ended;
  std::unique_ptr<Runner> runner;
  Runnable what;

  Running() {
    runner = std::make_unique<Runner>(
        Runner::Parts{io, agent.identity, *agent.db, source.get()},
        Runner::Options{FAKE_MODULE, false},
        Runner::Events{[] {}, [this](const ActionId& id) { ended.push_back(id); }});
    what.action = agent.Look();
    what.action.operations = {
        {"echo", {{"words", json::array{"x", json::object{{"attachment", "list"}}}}}}};
    what.roots.resize(1);
    what.constraints.resize(1);
  }
  ResultPart Run(std::chrono::milliseconds time = 30s) {
    Accepted accepted;
    accepted.action = what.action;
    accepted.digest = Bytes(32, 'd');
    REQUIRE(agent.db->Accept(accepted, "{}", agent.deployment.now,
                             {agent.deployment.now, "accepted", {}}));
    REQUIRE(agent.db->MarkStarted(what.action.id,
                                  StartedNote(agent.deployment.now, what.action.id, 1)));
    const auto progress = agent.db->ProgressOf(what.action.id);
    REQUIRE(progress);
    runner->Run(what, *progress, time, false);
    REQUIRE(RunUntil(io, [&] { return !ended.empty(); }));
    const auto parts = agent.Parts();
    REQUIRE(parts.size() == 1);
    REQUIRE(parts[0].last);
    return parts[0];
  }
};

std::string ErrorsOf(const ResultPart& part) {
  return json::Write(part.summary->result.at("errors"));
}

TEST_CASE("runner: a child gets its attachments behind its parameters", "[agent]") {
  ModuleCall call;
  call.program = "/mig";
  call.module = "file";
  call.attachments = {{"a", "12345"}, {"b.txt", "1"}};
  const auto words = ModuleArguments(call);
  CHECK(std::vector<std::string>(words.end() - 4, words.end()) ==
        std::vector<std::string>{"--attachment", "a=5", "--attachment", "b.txt=1"});
}

TEST_CASE("runner: an attachment that is not to be had fails the action before it runs",
          "[agent]") {
  Running running;
  running.what.action.attachments = {{"list", Bytes(32, 'x'), 5}};
  const ResultPart part = running.Run();
  CHECK(part.status == CommandStatus::kFailed);
  CHECK(part.elements.empty());
  CHECK(ErrorsOf(part) == R"(["attachment `list`: the API answers 404: gone away"])");
}

TEST_CASE("runner: time that ends while an attachment is fetched is a failure that says so",
          "[agent]") {
  Running running;
  running.what.action.attachments = {{"list", Bytes(32, 'x'), 5}};
  running.server.reset();
  const ResultPart part = running.Run(300ms);
  CHECK(part.status == CommandStatus::kFailed);
  CHECK(ErrorsOf(part).find("not fetched before the action's time was over") != std::string::npos);
}

TEST_CASE("runner: a stop ends a fetch that the API keeps waiting", "[agent]") {
  Running running;
  running.what.action.attachments = {{"list", Bytes(32, 'x'), 5}};
  std::vector<std::shared_ptr<HttpExchange>> held;
  running.instead = [&](std::shared_ptr<HttpExchange>& exchange) {
    held.push_back(std::move(exchange));
    boost::asio::post(running.io, [&] { running.runner->Stop(running.what.action.id); });
    return true;
  };
  const ResultPart part = running.Run();
  CHECK(part.status == CommandStatus::kStopped);
  CHECK(part.elements.empty());
  CHECK(running.ranges.size() == 1);  // and asks no more
}

TEST_CASE("runner: a constraint holds for what an attachment says", "[agent]") {
  Running running;
  running.what.action.attachments = {running.Offer("list", "x\ny\n")};
  running.what.constraints[0].parameters["words"] = {"x"};
  const ResultPart part = running.Run();
  CHECK(part.status == CommandStatus::kRefused);
  CHECK(part.elements.empty());
  CHECK(ErrorsOf(part) ==
        R"(["constraint: operations[0], module echo: words: `y` is not one of x"])");
}

TEST_CASE("runner: what keeps the constraint runs", "[agent]") {
  Running running;
  running.what.action.attachments = {running.Offer("list", "x\n")};
  running.what.constraints[0].parameters["words"] = {"x"};
  CHECK(running.ranges.empty());
  const ResultPart part = running.Run();
  CHECK(running.ranges.size() == 1);  // checked, then used: fetched once
  CHECK(part.status != CommandStatus::kRefused);
}

}  // namespace
}  // namespace mig::agent
