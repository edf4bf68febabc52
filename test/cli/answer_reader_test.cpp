#include "cli/answer_reader.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "test/cli/agent_voice.h"

using namespace mig;
using namespace mig::cli;

namespace {

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");
const AnswerReader::Clock::time_point kNow{};

// A reader over agents that were shown, and what it wrote.
struct Scene {
  AgentVoice web{"web1"};
  AgentVoice db{"db1"};
  char* out_text = nullptr;
  char* err_text = nullptr;
  std::size_t out_size = 0, err_size = 0;
  std::FILE* out = open_memstream(&out_text, &out_size);
  std::FILE* err = open_memstream(&err_text, &err_size);
  Terminal terminal{out, err, TerminalFacts{}};
  AnswerReader reader;

  static Question Asked() {
    Question question;
    question.id = kAction;
    question.modules = {"nosuchmodule"};
    return question;
  }
  explicit Scene(AnswerReader::Options options = {AnswerFormat::kJson, Show::kAll})
      : reader(Asked(), std::vector<ShownAgent>{web.Shown(), db.Shown()}, options, terminal, kNow) {
  }
  ~Scene() {
    std::fclose(out);
    std::fclose(err);
    std::free(out_text);
    std::free(err_text);
  }

  bool Part(const AgentVoice& agent, const ResultPart& part) {
    PartEvent event;
    event.agent = agent.id();
    event.name = "the server calls it otherwise";
    event.key = Bytes(agent.key().public_key().View());
    event.envelope = agent.Sign(part);
    return reader.Take(event, kNow);
  }
  bool Command(const AgentVoice& agent, CommandStatus status, std::string code = "") {
    CommandEvent event;
    event.agent = agent.id();
    event.name = agent.name();
    event.status = status;
    event.code = std::move(code);
    return reader.Take(event, kNow);
  }
  bool End(ActionStatus status = ActionStatus::kCompleted) {
    EndEvent event;
    event.last.status = status;
    event.last.targeted = 2;
    return reader.Take(event, kNow);
  }
  json::object Document() {
    reader.Finish(kNow);
    std::fflush(out);
    auto document = json::ParseObject(std::string(out_text, out_size));
    REQUIRE(document);
    return std::move(*document);
  }
  std::string Remarks() {
    std::fflush(err);
    return std::string(err_text, err_size);
  }
};

ResultPart Answer(AgentVoice& agent, bool found) {
  ResultPart part = agent.Next(kAction, true);
  OperationSummary summary;
  summary.sandbox = "full";
  summary.result["foundanything"] = found;
  summary.result["success"] = true;
  part.summary = summary;
  return part;
}

}  // namespace

TEST_CASE("answer reader: answers that verify are printed, counted, and decide the status",
          "[cli]") {
  Scene scene;
  CHECK(scene.Part(scene.web, Answer(scene.web, true)));
  CHECK(scene.Part(scene.db, Answer(scene.db, false)));
  CHECK_FALSE(scene.End());
  CHECK(scene.reader.ended());
  CHECK(scene.reader.Status() == kFound);
  const json::object document = scene.Document();
  const json::array& answers = document.at("answers").as_array();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("name").as_string() == "web1");  // as shown, not as the server says now
  CHECK(document.at("summary").at("answered").to_number<int>() == 2);
  CHECK(scene.Remarks().find("answered 2/2, found 1, failed 0, silent 0") != std::string::npos);
}

TEST_CASE("answer reader: a forged part is left out, said, and makes the status partial", "[cli]") {
  Scene scene;
  CHECK(scene.Part(scene.db, Answer(scene.db, false)));
  AgentVoice forger("web1");
  ResultPart part = Answer(forger, true);
  part.agent = scene.web.id();
  PartEvent event;
  event.agent = scene.web.id();
  event.key = Bytes(scene.web.key().public_key().View());
  event.envelope = forger.Sign(part);
  CHECK(scene.reader.Take(event, kNow));
  scene.Command(scene.web, CommandStatus::kSuccess);  // the server insists
  scene.End();
  const json::object document = scene.Document();
  CHECK(scene.reader.Status() == kPartial);
  CHECK(document.at("answers").as_array().size() == 1);
  REQUIRE(document.at("unverified").as_array().size() == 1);
  CHECK(document.at("unverified").at(0).at("name").as_string() == "web1");
  CHECK(scene.Remarks().find("web1: an answer is not signed with the agent's key") !=
        std::string::npos);
}

TEST_CASE("answer reader: an agent beyond the shown set is left out and said", "[cli]") {
  Scene scene;
  AgentVoice stranger("web1");
  CHECK(scene.Part(stranger, Answer(stranger, true)));
  CHECK(scene.Part(scene.web, Answer(scene.web, false)));
  CHECK(scene.Part(scene.db, Answer(scene.db, false)));
  scene.End();
  const json::object document = scene.Document();
  CHECK(document.at("answers").as_array().size() == 2);
  CHECK(scene.reader.Status() == kPartial);
  CHECK(scene.Remarks().find("was not among the agents shown before sending") != std::string::npos);
}

TEST_CASE("answer reader: the agent's own signed status counts more than the server's", "[cli]") {
  Scene scene;
  ResultPart part = Answer(scene.web, true);
  part.status = CommandStatus::kTimeout;
  CHECK(scene.Part(scene.web, part));
  scene.Command(scene.web, CommandStatus::kSuccess);
  CHECK(scene.Part(scene.db, Answer(scene.db, false)));
  scene.End();
  scene.Document();
  CHECK(scene.reader.Status() == kPartial);
  CHECK(scene.reader.tally().failed() == 1);
}

TEST_CASE("answer reader: success without all its parts is not complete", "[cli]") {
  Scene scene;
  CHECK(scene.Part(scene.web, scene.web.Next(kAction, false)));
  scene.Command(scene.web, CommandStatus::kSuccess);
  CHECK(scene.Part(scene.db, Answer(scene.db, false)));
  scene.End();
  scene.Document();
  CHECK(scene.reader.Status() == kPartial);
  CHECK(scene.Remarks().find("web1: the answer is not complete: everything after part 0") !=
        std::string::npos);
}

TEST_CASE("answer reader: refused and silent agents are told apart", "[cli]") {
  Scene scene;
  scene.Command(scene.web, CommandStatus::kRefused, "too_little_weight");
  scene.Command(scene.db, CommandStatus::kExpired);
  scene.End(ActionStatus::kExpired);
  const json::object document = scene.Document();
  CHECK(scene.reader.tally().failed() == 1);
  CHECK(scene.reader.tally().silent() == 1);
  CHECK(document.at("failed").as_array().size() == 2);
  CHECK(scene.Remarks().find("web1: refused (too_little_weight)") != std::string::npos);
}

TEST_CASE("answer reader: an action that the server refused ends so", "[cli]") {
  Scene scene;
  scene.End(ActionStatus::kInvalid);
  CHECK(scene.reader.Status() == kRefused);
}

TEST_CASE("answer reader: a crowd of failing agents does not flood the screen", "[cli]") {
  std::vector<AgentVoice> agents;
  for (int i = 0; i < 60; ++i) agents.emplace_back("agent" + std::to_string(i));
  Scene scene;
  for (const AgentVoice& agent : agents) scene.Command(agent, CommandStatus::kFailed);
  scene.End();
  scene.Document();
  const std::string remarks = scene.Remarks();
  CHECK(std::count(remarks.begin(), remarks.end(), '\n') < 30);
  CHECK(remarks.find("40 further remarks") != std::string::npos);
}
