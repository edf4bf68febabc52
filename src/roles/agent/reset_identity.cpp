#include "roles/agent/reset_identity.h"

#include "cli/verb.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "roles/agent/agent_locks.h"
#include "roles/agent/enrolment.h"
#include "roles/agent/ledger_notes.h"
#include "store/agent_db.h"

namespace mig::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyFileBytes = 64 << 10;
constexpr unsigned kSecretMode = 0600;

AgentId IdOf(const SecretKey& key) { return *AgentId::FromBytes(key.public_key().Fingerprint()); }

Expected<void> Remove(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (!error) return {};
  return Error(Errc::kIo, "remove " + file.string() + ": " + error.message());
}

}  // namespace

Expected<ResetIdentity> ResetTheIdentity(const AgentConfig& config, UtcTime now) {
  auto text = os::ReadFile(config.KeyFile(), kMaxKeyFileBytes);
  if (!text && text.error().code() == Errc::kNotFound) {
    return Error(Errc::kNotFound, config.KeyFile().string() +
                                      " is not there: this machine has no identity yet, and gets "
                                      "one when its agent starts");
  }
  if (!text) return std::move(text).error();
  auto lock = LockDirectory(config, std::chrono::milliseconds(0));
  if (!lock) return std::move(lock).error();
  auto old = ReadKeyFile(*text, "");
  if (!old) return std::move(old).error().During(config.KeyFile().string());
  KeyFile made{old->name, now, SecretKey::Generate()};
  ResetIdentity reset{IdOf(old->secret), IdOf(made.secret), {}};
  reset.old_key = config.KeyFile().string() + "." + reset.before.Text();
  auto written = WriteKeyFile(made, "");
  if (!written) return std::move(written).error();

  // The copy first: nothing that follows can lose the old key. It is there already when an earlier
  // call was killed.
  auto kept = os::WriteFileAtomically(reset.old_key, *text, kSecretMode);
  WipeBytes(*text);
  if (!kept) return std::move(kept).error();
  auto db = store::AgentDb::Open(config.Database());
  if (!db) return std::move(db).error();
  if (auto noted = (*db)->ChangeIdentity(IdentityNote(now, reset.now, reset.before)); !noted) {
    return std::move(noted).error();
  }
  auto replaced = os::WriteFileAtomically(config.KeyFile(), *written, kSecretMode);
  WipeBytes(*written);
  if (!replaced) return std::move(replaced).error();
  // Of no use with another key, or granted to the other machine.
  for (const fs::path& file : {config.CertificateFile(), config.TlsKeyFile(), config.GrantFile()}) {
    if (auto removed = Remove(file); !removed) return std::move(removed).error();
  }
  return reset;
}

int RunResetIdentity(std::span<const std::string> arguments) {
  std::string file;
  cli::Options options("mig agent reset-identity --config FILE",
                       "Gives this machine an identity of its own when it is a copy of another one "
                       "(a cloned image).\nThe agent must not run. The old key is kept beside the "
                       "new one; the ledger goes on.");
  options.Text("config", 'c', "FILE", "the agent's configuration", &file);
  options.Note(
      "Afterwards: put a new enrolment token where `token_file` says, start the agent, and "
      "release the\nagent whose identity it was (`mig agents release ID`).");
  options.Example(
      "systemctl stop mig-agent && mig agent reset-identity --config "
      "/etc/mig/agent.yaml",
      "on the copy, never on both machines' account");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (file.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "name the configuration with --config FILE"));
  }
  auto config = LoadAgentConfig(file);
  if (!config) return cli::Fail(terminal, config.error());
  auto reset = ResetTheIdentity(*config, Now());
  if (!reset) return cli::Fail(terminal, reset.error());
  terminal.Data(reset->now.Text() + "\n");
  terminal.Remark("This machine was agent " + reset->before.Text() + "; that key is kept in " +
                  reset->old_key.string() + ".");
  auto token = ConfiguredToken(*config);
  if (token && *token) {
    terminal.Remark(
        "Start the agent: it enrols with the token that is configured, if that has "
        "uses left.");
  } else {
    terminal.Remark("Before the agent is started it needs a new token (mig agent-token new), " +
                    (config->token_file.empty()
                         ? std::string("as `token_file` in the configuration.")
                         : "in " + config->token_file.string() + "."));
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::agent
