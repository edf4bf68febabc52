// mig action sign FILE: adds a person's signature to an action in a file, or makes one of an action
// of MIG; sends nothing.
#include <algorithm>

#include "cli/action_file.h"
#include "cli/confirmation.h"
#include "cli/explanation.h"
#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/action_verb.h"
#include "roles/client/machine_list.h"
#include "roles/client/policy_source.h"
#include "roles/client/sending.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;
using std::chrono::milliseconds;

constexpr unsigned kFileMode = 0644;

struct Wanted {
  std::string file, out, target;
  milliseconds expire = cli::kDefaultExpire;
  bool yes = false;
  PolicyOptions policy;
};

// What is to be signed.
struct Subject {
  Envelope envelope;
  Action action;
  Bytes audience;
  std::vector<cli::ShownAgent> machines;  // those of a new audience
};

Expected<Subject> SignedBefore(cli::ActionFile file) {
  auto action = DecodeAction(file.envelope->payload);
  if (!action) return std::move(action).error();
  return Subject{std::move(*file.envelope), std::move(*action), std::move(file.audience), {}};
}

Expected<Subject> OfMig(cli::MigAction mig, const Wanted& wanted, const cli::Options& options,
                        const Identity& identity, const TrustedPolicy* policy,
                        cli::Terminal& terminal) {
  for (const std::string& remark : mig.remarks) terminal.Remark(wanted.file + ": " + remark);
  if (!wanted.target.empty()) mig.target = wanted.target;
  cli::Draft draft;
  draft.id = cli::NewActionId();
  draft.org = identity.config.org;
  draft.policy = policy == nullptr ? 0 : policy->policy().version;
  draft.author = identity.signer->name();
  Subject subject;
  subject.action = cli::ActionFrom(
      mig, draft, policy == nullptr ? Limits() : cli::DefaultLimits(policy->policy().ceilings),
      wanted.expire, Now());
  if (cli::NeedsAudience(subject.action.kind)) {
    auto connection = Connect(wanted.policy.connection, options, terminal);
    if (!connection) {
      return std::move(connection)
          .error()
          .During(
              "an action that changes something names its "
              "machines, which the server knows");
    }
    auto machines = connection->api->GetTargets(subject.action.target);
    if (!machines) return std::move(machines).error();
    auto ids = GiveAudience(subject.action, *machines);
    if (!ids) return std::move(ids).error();
    subject.audience = std::move(*ids);
    subject.machines = std::move(*machines);
  }
  subject.envelope = {std::string(kActionType), EncodeAction(subject.action), {}};
  auto sound = DecodeAction(subject.envelope.payload);
  if (!sound) return std::move(sound).error();
  return subject;
}

ExitStatus Sign(const Wanted& wanted, const cli::Options& options, cli::Terminal& terminal) {
  auto file = cli::LoadActionFile(wanted.file);
  if (!file) return cli::Fail(terminal, file.error());
  const bool of_mig = file->mig.has_value();
  for (const char* name : {"target", "expire"}) {
    if (of_mig || !options.Given(name)) continue;
    return cli::Fail(terminal, Error(Errc::kInvalid, "--" + std::string(name) + ": " + wanted.file +
                                                         " is signed, and stays as it is"));
  }
  auto identity = LoadIdentity(wanted.policy.connection, options);
  if (!identity) return cli::Fail(terminal, identity.error());
  auto policy = FindPolicy(wanted.policy);
  if (!policy) {
    if (!wanted.policy.files.empty()) return cli::Fail(terminal, policy.error());
    terminal.Remark("The policy could not be looked at: " + policy.error().message());
  }
  const TrustedPolicy* trusted = policy ? &policy->policy : nullptr;
  auto subject = of_mig
                     ? OfMig(std::move(*file->mig), wanted, options, *identity, trusted, terminal)
                     : SignedBefore(std::move(*file));
  if (!subject) return cli::Fail(terminal, std::move(subject).error().During(wanted.file));
  if (subject->action.org != identity->config.org) {
    return cli::Fail(terminal, Error(Errc::kDenied, wanted.file + ": is for another deployment, " +
                                                        subject->action.org.Text()));
  }
  // On stderr: stdout may be the file.
  const std::string explanation =
      cli::Explain(cli::Explained{subject->envelope, subject->action, trusted, {}, Now()});
  for (const std::string_view line : Split(explanation, '\n')) {
    if (!line.empty()) terminal.Remark(line);
  }
  const std::string keyid = KeyId::FromBytes(identity->signer->Fingerprint())->Text();
  if (std::any_of(subject->envelope.signatures.begin(), subject->envelope.signatures.end(),
                  [&](const Signature& signature) { return signature.keyid == keyid; })) {
    terminal.Remark("This key has signed it already.");
    return cli::Finish(terminal, cli::kFound);
  }
  if (auto agreed = cli::Confirm("Sign exactly this, as " + identity->signer->name() + "?",
                                 wanted.yes, terminal);
      !agreed) {
    return cli::Fail(terminal, agreed.error());
  }
  if (auto added = AddSignature(subject->envelope, *identity->signer); !added) {
    return cli::Fail(terminal, added.error());
  }
  const std::string text = cli::ActionFileText(subject->envelope, subject->audience);
  const std::string out = wanted.out.empty() && !of_mig ? wanted.file : wanted.out;
  if (out.empty() || out == "-") {
    terminal.Data(text);
    return cli::Finish(terminal, cli::kFound);
  }
  if (auto written = os::WriteFileAtomically(out, text, kFileMode); !written) {
    return cli::Fail(terminal, written.error());
  }
  terminal.Remark("Signed; it stands in " + out + ". Send it with: mig query -i " + out);
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

ExitStatus RunActionSign(std::span<const std::string> words, cli::Terminal& terminal) {
  Wanted wanted;
  cli::Options options("mig action sign FILE [-o FILE]",
                       "Explains the action in a file, asks, and adds your signature to it. An "
                       "action of MIG becomes a\nnew one. Nothing is sent.");
  options.Word("FILE", "a signed action, or one of MIG (syntax version 2)", true, &wanted.file);
  options.Text("out", 'o', "FILE",
               "where to write it (default: FILE itself; one made of MIG's: stdout)", &wanted.out);
  options.Flag("yes", 'y', "sign without asking", &wanted.yes);
  options.Text("target", 't', "EXPR", "of an action of MIG: other machines than it says",
               &wanted.target);
  options.Duration("expire", 'e', "of an action of MIG without times (default 5m)", &wanted.expire);
  wanted.policy.AddTo(options, true);
  options.Example("mig action sign colleague.json", "yours beside your colleague's");
  options.Example("mig action sign examples/actions/who-are-you.json -o a.json",
                  "an action of MIG, as ours, in a.json");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  return Sign(wanted, options, terminal);
}

}  // namespace mig
