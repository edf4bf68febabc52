#include "roles/client/connection.h"

#include "cli/verb.h"
#include "os/file_lock.h"
#include "roles/client/policy_remarks.h"

namespace mig {

void ConnectionOptions::AddConfigTo(cli::Options& options) {
  options.Text("config", 'c', "FILE",
               "the deployment (default: MIG_CONFIG, ~/.config/mig/client.yaml, the lab)",
               &config.config);
}

void ConnectionOptions::AddTo(cli::Options& options) {
  AddConfigTo(options);
  options.Text(
      "key", '\0', "KEY",
      "what to sign with: a key file, ssh:SHA256:… or gpg:FINGERPRINT (default: MIG_KEY, the "
      "configuration's)",
      &config.key);
  options.Integer("passphrase-fd", '\0', "N", "read the key's passphrase from descriptor N", 0,
                  1023, &passphrase_fd);
}

cli::PassphraseSource ConnectionOptions::Passphrase(const cli::Options& options) const {
  cli::PassphraseSource source;
  if (options.Given("passphrase-fd")) source.descriptor = static_cast<int>(passphrase_fd);
  return source;
}

Expected<Identity> LoadIdentity(const ConnectionOptions& wanted, const cli::Options& options) {
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return std::move(config).error();
  auto signer = cli::OpenSigner(config->key, wanted.Passphrase(options), cli::ProcessEnvironment);
  if (!signer) return std::move(signer).error();
  return Identity{std::move(*config), std::move(*signer)};
}

Expected<Connection> Connect(const ConnectionOptions& wanted, const cli::Options& options,
                             cli::Terminal& terminal) {
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return std::move(config).error();
  if (config->lab) {
    // Its supervisor holds this lock as long as it lives; no need to wait for a timeout.
    const auto running = os::IsLocked(*config->lab / "run" / "supervisor.lock");
    if (running && !*running) {
      return Error(Errc::kUnavailable,
                   config->source + " is not running; start it with: mig lab up");
    }
  }
  auto signer = cli::OpenSigner(config->key, wanted.Passphrase(options), cli::ProcessEnvironment);
  if (!signer) return std::move(signer).error();
  auto api = std::make_unique<cli::ApiClient>(*config, [&terminal](const Error& away) {
    terminal.Remark("The server does not answer (" + away.message() + "); trying for " +
                    FormatDuration(cli::ApiClient::kPatience) + ".");
  });
  Connection connection{std::move(*config), std::move(*signer), std::move(api)};
  if (auto opened = connection.api->OpenSession(*connection.signer); !opened) {
    const bool away = cli::StatusOf(opened.error()) == cli::kUnreachable;
    Error error = std::move(opened).error().During(connection.config.source);
    if (!away || !connection.config.lab) return error;
    return Error(error.code(), error.message() + "; see what runs with: mig lab status");
  }
  // Said by every verb: nobody should learn of it from the day on which all is refused.
  if (auto documents = connection.api->GetDocuments()) {
    RemarkOnPolicy(*documents, Now(), terminal);
    connection.policy_version = documents->trusted.policy().version;
  } else {
    terminal.Remark("Note: " + documents.error().message() + ".", cli::Style::kRed);
  }
  return connection;
}

Expected<ActionId> ReadActionId(const std::string& text) {
  auto id = ActionId::Parse(text);
  if (id) return id;
  return Error(Errc::kInvalid, id.error().message() + "; `mig status` lists them");
}

}  // namespace mig
