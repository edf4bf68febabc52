// How a verb comes to the API: configuration, key, session; with messages that say what to do when
// one of them is missing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/api_client.h"
#include "cli/client_config.h"
#include "cli/options.h"
#include "cli/secret_key.h"
#include "cli/signers.h"
#include "cli/terminal.h"
#include "crypto/signer.h"
#include "util/expected.h"

namespace mig {

// The options of every verb that talks to the API.
struct ConnectionOptions {
  cli::ConfigOptions config;
  std::uint64_t passphrase_fd = 0;

  // Adds -config, -key and -passphrase-fd, or the first alone for what signs nothing. This object
  // must live as long as `options`.
  void AddTo(cli::Options& options);
  void AddConfigTo(cli::Options& options);
  cli::PassphraseSource Passphrase(const cli::Options& options) const;
};

struct Connection {
  cli::ClientConfig config;
  std::unique_ptr<Signer> signer;       // also of new sessions
  std::unique_ptr<cli::ApiClient> api;  // with a session
  std::uint64_t policy_version = 0;     // in force, verified; 0: the server's does not verify
};

// Errors: as FindClientConfig, OpenSigner, ApiClient::OpenSession; kUnavailable at once when the
// configured lab is not running.
Expected<Connection> Connect(const ConnectionOptions& wanted, const cli::Options& options,
                             cli::Terminal& terminal);

// Configuration and key only, for what needs no server.
struct Identity {
  cli::ClientConfig config;
  std::unique_ptr<Signer> signer;
};
Expected<Identity> LoadIdentity(const ConnectionOptions& wanted, const cli::Options& options);

// The id in `text`, with a message that shows one.
Expected<ActionId> ReadActionId(const std::string& text);

}  // namespace mig
