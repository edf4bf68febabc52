// Sending an action: shows how many machines it reaches, asks where it changes something, signs,
// remembers what was shown, posts, and waits for the answers.
#pragma once

#include <vector>

#include "cli/answer_printer.h"
#include "cli/shown_audience.h"
#include "crypto/envelope.h"
#include "proto/action.h"
#include "roles/client/answer_options.h"
#include "roles/client/connection.h"
#include "trust/policy_chain.h"

namespace mig {

// What an action that changes something needs beyond the rest: the machines that are shown, as its
// audience. Nothing for other kinds. Returns the ids. Error: kInvalid.
Expected<Bytes> GiveAudience(Action& action, const std::vector<cli::ShownAgent>& shown);

struct SendOptions {
  bool detach = false;
  bool yes = false;  // --yes: nobody is asked
  const AnswerOptions* answers = nullptr;
};

// `action` is complete but for its audience.
cli::ExitStatus SendNew(Connection& connection, const TrustedPolicy& policy, Action action,
                        const SendOptions& options, cli::Terminal& terminal);

// One that is signed already, by whomever: our signature is added where it is missing. `audience`:
// the ids beside it; empty where it has none, or the server has them.
cli::ExitStatus SendSigned(Connection& connection, const TrustedPolicy& policy, Envelope envelope,
                           const Bytes& audience, const SendOptions& options,
                           cli::Terminal& terminal);

}  // namespace mig
