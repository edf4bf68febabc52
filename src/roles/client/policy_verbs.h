// The verbs below `mig policy`; the table that names them is in policy_verb.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "roles/client/connection.h"
#include "roles/client/policy_folder.h"
#include "util/expected.h"

namespace mig {

using Words = std::span<const std::string>;

// On the draft (policy_draft_verbs.cpp).
cli::ExitStatus PolicyInit(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyCheck(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyEdit(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyAddPerson(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyRemovePerson(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyRevoke(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicySet(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyRenew(Words words, cli::Terminal& terminal);
// policy_import_verb.cpp
cli::ExitStatus PolicyImportAcl(Words words, cli::Terminal& terminal);
// On root keys (policy_root_verbs.cpp).
cli::ExitStatus PolicyRoot(Words words, cli::Terminal& terminal);
// Signing and publishing (policy_sign_verbs.cpp).
cli::ExitStatus PolicySign(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyPublish(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyPull(Words words, cli::Terminal& terminal);
// Looking (policy_show_verbs.cpp).
cli::ExitStatus PolicyShow(Words words, cli::Terminal& terminal);
cli::ExitStatus PolicyLog(Words words, cli::Terminal& terminal);
// policy_fresh_verb.cpp
cli::ExitStatus PolicyFresh(Words words, cli::Terminal& terminal);

// ---- shared

// `--dir`, which all of them have.
void AddFolderTo(cli::Options& options, std::string* folder);
// The key of --key, or the configured one.
Expected<std::unique_ptr<Signer>> OpenPolicyKey(const ConnectionOptions& wanted,
                                                const cli::Options& options);
// The sentences of PolicyChanges and RootChanges, against what was published. One line each.
Expected<std::string> ChangesText(const cli::SigningBundle& documents,
                                  const std::optional<cli::SigningBundle>& published);
// The draft as the policy it means, changed by `change`, and written back. With `org` and times of
// no meaning: they are not in a draft.
cli::ExitStatus ChangeDraft(const std::string& dir, cli::Terminal& terminal,
                            const std::function<Expected<void>(Policy& policy)>& change);
// After the draft changed: what that means, and what to do next.
cli::ExitStatus TellOfDraft(const PolicyFolder& folder, bool renew, cli::Terminal& terminal);

}  // namespace mig
