// What a lab consists of. That it runs is shown by test/e2e, with the real executable.
#include <catch2/catch.hpp>
#include <fstream>

#include "cli/client_config.h"
#include "crypto/certificate.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "proto/action.h"
#include "roles/agent/agent_config.h"
#include "roles/api/api_config.h"
#include "roles/lab/control.h"
#include "roles/lab/deployment.h"
#include "roles/lab/lab_configs.h"
#include "roles/lab/lab_files.h"
#include "roles/lab/log_file.h"
#include "roles/lab/restart_backoff.h"
#include "roles/relay/relay_config.h"
#include "roles/scheduler/scheduler_config.h"
#include "test/temp_folder.h"
#include "trust/authorisation.h"
#include "trust/policy_documents.h"

using namespace mig;
using namespace mig::lab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");

struct Lab {
  TempFolder folder;
  LabFiles files{folder / "lab"};

  Lab() {
    const auto made = files.MakeFolders();
    INFO((made ? "" : made.error().message()));
    REQUIRE(made);
  }
  void Make(UtcTime now = kNow) {
    const auto made = MakeDeployment(files, now);
    INFO((made ? "" : made.error().message()));
    REQUIRE(made);
  }
  std::string Text(const fs::path& file) const {
    auto text = os::ReadFile(file);
    REQUIRE(text);
    return *text;
  }
};

}  // namespace

TEST_CASE("lab: nobody else can read its keys", "[lab]") {
  Lab lab;
  lab.Make();
  constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
  for (const auto& entry : fs::recursive_directory_iterator(lab.files.folder())) {
    const bool open = (entry.status().permissions() & kOthers) != fs::perms::none;
    INFO(entry.path());
    if (entry.is_directory() || entry.path().extension() == ".key") CHECK_FALSE(open);
  }
}

TEST_CASE("lab: its policy is believed from its root, and lets its investigator ask", "[lab]") {
  Lab lab;
  lab.Make();
  const auto documents = LoadPolicyDocuments(PolicyFiles{{lab.files.Root()}, lab.files.Policy()});
  REQUIRE(documents);
  CHECK(documents->org == *LoadOrg(lab.files));
  CHECK(documents->trusted.policy().expires > kNow + std::chrono::hours(9 * 365 * 24));

  const auto key = ReadKeyFile(lab.Text(lab.files.Key("investigator")), "");
  REQUIRE(key);
  Action action;
  action.org = documents->org;
  action.operations = {{"file", {}}};
  action.target = "all";
  const Envelope envelope = Seal(kActionType, EncodeAction(action), key->secret);
  const SignatureCheck check = CheckSignatures(envelope, action, documents->trusted);
  CHECK_FALSE(check.refused);
  CHECK(check.weight_reached);
}

TEST_CASE("lab: each server's certificate names its role, by the servers' CA", "[lab]") {
  Lab lab;
  lab.Make();
  for (const char* role : {"relay", "scheduler", "api"}) {
    const auto name = PeerNameOfPem(lab.Text(lab.files.Certificate(role)));
    REQUIRE(name);
    CHECK(name->role == role);
    CHECK(name->id == std::string(role) + "-1");
  }
  CHECK(*SpkiPin(lab.Text(lab.files.Certificate("agents-ca"))) !=
        *SpkiPin(lab.Text(lab.files.Certificate("servers-ca"))));
}

TEST_CASE("lab: making it again changes nothing, and completes what was interrupted", "[lab]") {
  Lab lab;
  lab.Make();
  const std::string root = lab.Text(lab.files.Root());
  const std::string api = lab.Text(lab.files.Certificate("api"));
  REQUIRE(fs::remove(lab.files.Policy()));
  REQUIRE(fs::remove(lab.files.Certificate("relay")));
  lab.Make(kNow + std::chrono::hours(1));
  CHECK(lab.Text(lab.files.Root()) == root);
  CHECK(lab.Text(lab.files.Certificate("api")) == api);
  CHECK(fs::exists(lab.files.Certificate("relay")));
  CHECK(LoadPolicyDocuments(PolicyFiles{{lab.files.Root()}, lab.files.Policy()}));
}

TEST_CASE("lab: every role accepts the configuration that is written for it", "[lab]") {
  Lab lab;
  lab.Make();
  const LabAddresses addresses{*LoadOrg(lab.files), 18883, 18443};
  const auto write = [&](const std::string& role, const std::string& text) {
    REQUIRE(os::WriteFileAtomically(lab.files.Config(role), text, 0600));
    return lab.files.Config(role);
  };
  REQUIRE(os::WriteFileAtomically(lab.files.EnrolmentToken(), "token\n", 0600));
  const auto accepted = [](const auto& config) {
    INFO((config ? std::string() : config.error().message()));
    CHECK(config);
  };
  accepted(relay::LoadRelayConfig(write("relay", RelayConfigText(addresses))));
  accepted(api::LoadApiConfig(write("api", ApiConfigText(addresses))));
  accepted(scheduler::LoadSchedulerConfig(write("scheduler", SchedulerConfigText(addresses))));
  accepted(agent::LoadAgentConfig(write("agent-1", AgentConfigText(addresses, "agent-1"))));
  const auto client = cli::LoadClientConfig(write("client", ClientConfigText(addresses)));
  REQUIRE(client);
  CHECK(client->api == "https://127.0.0.1:18443");
  CHECK(client->key.file == lab.files.Key("investigator"));
  CHECK(fs::exists(client->ca));
}

TEST_CASE("lab: a folder with something else in it is left alone", "[lab]") {
  const TempFolder folder;
  std::ofstream(folder / "thesis.tex") << "precious";
  const LabFiles files(folder.path());
  const auto made = files.MakeFolders();
  REQUIRE_FALSE(made);
  CHECK(made.error().code() == Errc::kExists);
  CHECK_FALSE(fs::exists(folder / "keys"));
}

TEST_CASE("lab: its record survives being written and read", "[lab]") {
  Lab lab;
  CHECK(LoadRecord(lab.files).error().code() == Errc::kNotFound);
  LabRecord record;
  record.created = kNow;
  record.org = *OrgId::FromBytes(Bytes(32, 'o'));
  record.agents = 7;
  record.api = "https://127.0.0.1:1234";
  record.relay_port = 1;
  record.api_port = 1234;
  REQUIRE(os::WriteFileAtomically(lab.files.Record(), WriteRecord(record), 0600));
  const auto read = LoadRecord(lab.files);
  REQUIRE(read);
  CHECK(read->created == kNow);
  CHECK(read->org == record.org);
  CHECK(read->agents == 7);
  CHECK(read->api_port == 1234);
}

TEST_CASE("lab: without a supervisor the answer is that none runs, at once", "[lab]") {
  const TempFolder folder;
  for (const fs::path& place : {folder / "nothing", fs::path(folder.path())}) {
    const LabFiles files(place);
    const auto answer = AskSupervisor(files, {{"do", "status"}}, milliseconds(10'000));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == Errc::kUnavailable);
  }
}

TEST_CASE("lab: the control socket is reached through a folder of any length", "[lab]") {
  const TempFolder folder;
  const LabFiles files(folder / (std::string(100, 'a') + "/" + std::string(100, 'b')));
  REQUIRE(fs::create_directories(files.RunFolder()));
  const auto path = ControlPath::Of(files);
  REQUIRE(path);
  CHECK(path->text().size() < 108);  // unix(7)
  std::ofstream(files.RunFolder() / "control.sock") << "here";
  CHECK(fs::exists(path->text()));
}

TEST_CASE("lab: who dies at its start waits longer each time, who ran does not", "[lab]") {
  RestartBackoff backoff;
  CHECK(backoff.Next(milliseconds(0)) == milliseconds(200));
  CHECK(backoff.Next(milliseconds(10)) == milliseconds(400));
  CHECK(backoff.Next(milliseconds(10)) == milliseconds(800));
  for (int i = 0; i < 10; ++i) CHECK(backoff.Next(milliseconds(10)) <= milliseconds(1'000));
  CHECK(backoff.Next(milliseconds(60'000)) == milliseconds(200));
}

TEST_CASE("lab: a log that has grown too large makes room", "[lab]") {
  const TempFolder folder;
  const fs::path file = folder / "relay.log";
  std::ofstream(file) << "old\n";
  fs::resize_file(file, std::uintmax_t{17} << 20);
  REQUIRE(OpenLog(file));
  CHECK(fs::file_size(file) == 0);
  CHECK(fs::file_size(folder / "relay.log.1") > 0);
  std::ofstream(file) << "new\n";
  REQUIRE(OpenLog(file));
  CHECK(fs::file_size(file) == 4);
}
