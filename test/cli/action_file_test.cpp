#include "cli/action_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "test/deployment.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

namespace {

Expected<MigAction> Read(const std::string& text) {
  auto document = json::ParseObject(text);
  INFO(text);
  REQUIRE(document);
  REQUIRE(LooksLikeMigAction(*document));
  return ReadMigAction(*document);
}

// A small one, with `more` in front.
std::string Mig(const std::string& more = {}, const std::string& operation = {}) {
  return R"({)" + more + R"("name":"n","target":"all","syntaxversion":2,"operations":[)" +
         (operation.empty() ? R"({"module":"example","parameters":{"gethostname":true}})"
                            : operation) +
         "]}";
}

std::string WhyNot(const std::string& text) {
  auto read = Read(text);
  return read ? "accepted" : read.error().message();
}

bool Has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("action file: every example is read, and makes an action that agents read", "[cli]") {
  const Deployment deployment;
  int examples = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(MIG_SOURCE_DIR "/examples/actions")) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path());
    ++examples;
    auto file = LoadActionFile(entry.path().string());
    INFO((file ? std::string() : file.error().message()));
    REQUIRE(file);
    REQUIRE(file->mig);
    Draft draft;
    draft.id = NewActionId();
    draft.org = deployment.org;
    draft.author = "Ann <ann@example.org>";
    Action action =
        ActionFrom(*file->mig, draft, Limits(), std::chrono::minutes(5), deployment.now);
    if (NeedsAudience(action.kind)) action.audience = Audience{1, Bytes(32, 'r')};
    const auto read = DecodeAction(EncodeAction(action));
    INFO((read ? std::string() : read.error().message()));
    REQUIRE(read);
    CHECK(read->name == file->mig->name);
    CHECK(read->threat.family == file->mig->threat.family);
    CHECK(read->operations.size() == file->mig->operations.size());
  }
  CHECK(examples >= 4);
}

TEST_CASE("action file: of MIG, what has no meaning here is refused, and said", "[cli]") {
  CHECK(WhyNot(Mig()) == "accepted");
  CHECK(Has(WhyNot(Mig(R"("pgpsignatures":["wsBc"],)")), "pgpsignatures: were made for MIG"));
  CHECK(WhyNot(Mig(R"("pgpsignatures":[],)")) == "accepted");
  CHECK(Has(WhyNot(Mig("", R"({"module":"file","parameters":"H4sI","is_compressed":true})")),
            "operations[0]: its parameters are compressed"));
  CHECK(Has(WhyNot(Mig("", R"({"module":"file","parameters":"H4sI"})")), "are compressed"));
  CHECK(Has(WhyNot(Mig("", R"({"module":"exmaple","parameters":{}})")), "did you mean `example`"));
  CHECK(Has(WhyNot(Mig("", R"({"module":"example","parameters":{"gethostnaem":true}})")),
            "gethostname"));
  CHECK(Has(WhyNot(R"({"name":"n","target":"all","syntaxversion":1,"operations":[]})"),
            "syntaxversion: is 1"));
  CHECK(Has(WhyNot(R"({"name":"n","target":"all","syntaxversion":2,"operations":[]})"),
            "operations: there is none"));
  CHECK(Has(WhyNot(R"({"name":"n","target":"id IN (SELECT)"
                   R"(","syntaxversion":2,"operations":[]})"),
            "MIG's targets are any SQL"));
  CHECK(Has(WhyNot(Mig(R"("surprise":1,)")), "surprise"));
  CHECK(Has(WhyNot(Mig(R"("validfrom":"2026-11-23T09:00:00Z",)")), "stand together"));
}

TEST_CASE("action file: of MIG, what its server added is left out with a remark", "[cli]") {
  const auto read = Read(Mig(
      R"("id":6115472,"status":"pending","counters":{},"validfrom":"0001-01-01T00:00:00Z",
         "expireafter":"0001-01-01T00:00:00Z",)",
      R"({"module":"example","parameters":{"gethostname":true},"want_compressed":true})"));
  REQUIRE(read);
  CHECK_FALSE(read->validfrom);
  REQUIRE(read->remarks.size() == 2);
  CHECK(Has(read->remarks[0], "id, status, counters: left out"));
  CHECK(Has(read->remarks[1], "want_compressed is left out"));

  const auto timed =
      Read(Mig(R"("validfrom":"2026-11-23T09:00:00Z","expireafter":"2026-11-23T10:00:00Z",)"));
  REQUIRE(timed);
  const Action action = ActionFrom(*timed, Draft(), Limits(), std::chrono::minutes(5),
                                   TimeAt("2026-11-23T08:00:00Z"));
  CHECK(action.expireafter == TimeAt("2026-11-23T10:00:00Z"));
}

TEST_CASE("action file: a signed one comes back with the ids beside it", "[cli]") {
  const TempFolder folder;
  const Deployment deployment;
  const Envelope envelope = Deployment::Sign(deployment.ActionFor(), {&deployment.ann});
  for (const Bytes& audience : {Bytes(), Bytes(64, 'a')}) {
    const std::string file = (folder / "a.json").string();
    std::ofstream(file, std::ios::trunc) << ActionFileText(envelope, audience);
    auto read = LoadActionFile(file);
    REQUIRE(read);
    REQUIRE(read->envelope);
    CHECK(read->envelope->payload == envelope.payload);
    CHECK(read->audience == audience);
  }
  std::ofstream(folder / "b.json")
      << EncodeEnvelope(Seal("application/vnd.mig.policy.v1+json", "{}", deployment.ann));
  CHECK(Has(LoadActionFile((folder / "b.json").string()).error().message(), "not an action"));
}
