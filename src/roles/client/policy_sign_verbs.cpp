// mig policy sign|publish|pull: signatures, and the way of the documents to and from the server.
#include <filesystem>

#include "cli/confirmation.h"
#include "cli/policy_draft.h"
#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/policy_remarks.h"
#include "roles/client/policy_statement.h"
#include "roles/client/policy_verbs.h"
#include "trust/policy_documents.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kMaxDocumentBytes = 4 << 20;

Expected<cli::SigningBundle> LoadBundle(const std::string& file) {
  auto text = os::ReadFile(file, kMaxDocumentBytes);
  if (!text) return std::move(text).error();
  auto bundle = cli::ReadSigningBundle(*text);
  if (!bundle) return std::move(bundle).error().During(file);
  return bundle;
}

cli::SigningBundle BundleOf(const PolicyDocuments& documents) {
  return {documents.roots, documents.policy};
}

// What to compare documents of that deployment with: what the server says is in force, verified,
// else what was published from this folder; nothing where neither is of this deployment.
std::optional<cli::SigningBundle> InForce(const OrgId& org, const ConnectionOptions& wanted,
                                          const PolicyFolder& folder, cli::Terminal& terminal) {
  std::optional<cli::SigningBundle> known;
  if (auto published = folder.LoadPublished();
      published && *published && (*published)->org() == org) {
    known = std::move(**published);
  }
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config || config->org != org) return known;
  cli::ApiClient api(*config, {}, std::chrono::milliseconds(2'000));
  auto documents = api.GetDocuments();
  if (!documents) {
    terminal.Remark(
        "Compared with what was published from here, because the server does not "
        "answer: " +
        documents.error().message());
    return known;
  }
  return BundleOf(*documents);
}

// Every root and the policy in files of their own, as the configuration of a server names them.
Expected<std::vector<std::filesystem::path>> WriteFiles(const PolicyDocuments& documents,
                                                        const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::vector<std::filesystem::path> files;
  const auto write = [&](const std::string& name, const Envelope& envelope) {
    files.push_back(folder / name);
    return os::WriteFileAtomically(files.back(), EncodeEnvelope(envelope), 0644);
  };
  for (std::size_t i = 0; i < documents.roots.size(); ++i) {
    const std::string name = "root." + std::to_string(i + 1) + ".json";
    if (auto written = write(name, documents.roots[i]); !written) return written.error();
  }
  if (auto written = write("policy.json", documents.policy); !written) return written.error();
  return files;
}

// Puts a statement beside the policy, with the key of --fresh-key, so that both come into force
// together; in a lab with the lab's own, because there nobody waits for a timer.
Expected<void> StateFreshness(const std::string& fresh_key, const cli::ClientConfig& config,
                              PolicyDocuments& documents, cli::Terminal& terminal) {
  cli::KeyChoice choice;
  if (!fresh_key.empty()) {
    auto named = cli::ParseKeyChoice(fresh_key, std::filesystem::current_path());
    if (!named) return std::move(named).error().During("--fresh-key");
    choice = std::move(*named);
  } else if (config.lab && documents.trusted.policy().freshness) {
    choice.file = *config.lab / "keys" / "freshness.key";
  } else {
    return {};
  }
  auto statement = [&]() -> Expected<Envelope> {
    auto signer = cli::OpenSigner(choice, {}, cli::ProcessEnvironment);
    if (!signer) return std::move(signer).error();
    return MakeStatement(documents, **signer, Now());
  }();
  if (statement) {
    documents.freshness = std::move(*statement);
  } else if (!fresh_key.empty()) {
    // Before anything is published: what was asked for would be half done.
    return std::move(statement).error().During("--fresh-key");
  } else {
    terminal.Remark("No freshness statement: " + statement.error().message());
  }
  return {};
}

// What later drafts of this folder are compared with, and follow: also when the file came back from
// another keeper. Documents of another deployment, or older ones, leave it as it is.
Expected<void> NotePublished(const PolicyFolder& folder, const cli::SigningBundle& bundle,
                             const PolicyDocuments& documents) {
  const auto ours = folder.LoadDocuments();
  if (!ours || ours->org() != bundle.org()) return {};
  auto before = folder.LoadPublished();
  if (!before) return std::move(before).error();
  if (*before && (*before)->policy) {
    auto known = VerifyPolicyChain(documents.org, (*before)->roots, *(*before)->policy);
    if (known && !CompareForUpdate(*known, documents.trusted)) return {};
  }
  return folder.SavePublished(bundle);
}

// After the policy is in force: what is known of its freshness, and the next command where nothing
// is. `new_here`: it was not in force before, so that the statement came with it.
Expected<void> TellFreshness(cli::ApiClient& api, const PolicyDocuments& documents, bool new_here,
                             cli::Terminal& terminal) {
  if (!documents.trusted.policy().freshness) return {};
  if (documents.freshness) {
    if (!new_here) {
      auto taken = api.PostFreshness(*documents.freshness);
      if (!taken) return std::move(taken).error();
    }
    terminal.Remark("Stated with it: this version is the newest.");
    return {};
  }
  auto in_force = api.GetDocuments();
  if (in_force) {
    RemarkOnPolicy(*in_force, Now(), terminal);
    return {};
  }
  return std::move(in_force).error();
}

}  // namespace

ExitStatus PolicySign(Words words, cli::Terminal& terminal) {
  std::string dir, file;
  bool yes = false;
  std::string publish = "mig policy publish";  // what comes when all have signed
  ConnectionOptions wanted;
  cli::Options options("mig policy sign [FILE] --key ROOT_KEY",
                       "Shows what the documents change, in plain words, against what is in force, "
                       "and adds a root key's\nsignature to what lacks it: new roots and the "
                       "policy. Keepers of root keys sign one after another: pass\nthem the file "
                       "documents.json, and publish it when the last one has signed.");
  options.Word("FILE", "documents.json from a colleague (default: your own draft)", false, &file);
  options.Flag("yes", 'y', "do not ask", &yes);
  wanted.AddTo(options);
  AddFolderTo(options, &dir);
  options.Example("mig policy sign --key root.key", "your draft, by a key in a file");
  options.Example("mig policy sign documents.json --key ssh:SHA256:…",
                  "a colleague's, by ssh-agent");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  if (file.empty()) {
    auto taken = TakeDraft(*folder, false, Now());
    if (!taken) return cli::Fail(terminal, taken.error());
    file = folder->Documents().string();
  } else {
    publish += " " + file;
  }
  auto bundle = LoadBundle(file);
  if (!bundle) return cli::Fail(terminal, bundle.error());
  auto changes = ChangesText(*bundle, InForce(bundle->org(), wanted, *folder, terminal));
  if (!changes) return cli::Fail(terminal, changes.error());
  auto missing = cli::MissingIn(*bundle);
  if (!missing) return cli::Fail(terminal, missing.error());
  terminal.Data("deployment " + bundle->org().Text() + "\n");
  terminal.Data(changes->empty() ? "nothing changes\n" : *changes);
  if (missing->empty()) {
    terminal.Remark("All signatures are there already: " + publish);
    return cli::Finish(terminal, cli::kFound);
  }
  auto signer = OpenPolicyKey(wanted, options);
  if (!signer) return cli::Fail(terminal, signer.error());
  if (auto agreed = cli::Confirm(
          "Sign this, as a keeper of a root key (" + (*signer)->name() + ")?", yes, terminal);
      !agreed) {
    return cli::Fail(terminal, agreed.error());
  }
  auto done = cli::SignBundle(*bundle, **signer);
  if (!done) return cli::Fail(terminal, done.error());
  if (auto saved = os::WriteFileAtomically(file, cli::WriteSigningBundle(*bundle), 0644); !saved) {
    return cli::Fail(terminal, saved.error());
  }
  terminal.Remark(done->empty() ? "This key has signed all of it before."
                                : "Signed: " + Join(*done, ", ") + ". Wrote " + file + ".");
  missing = cli::MissingIn(*bundle);
  if (!missing) return cli::Fail(terminal, missing.error());
  for (const auto& lack : *missing) terminal.Remark(cli::MissingText(lack) + ".");
  terminal.Remark(missing->empty() ? "All signatures are there: " + publish
                                   : "Pass the file to the next keeper: mig policy sign " + file);
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus PolicyPublish(Words words, cli::Terminal& terminal) {
  std::string dir, file, files_folder, fresh_key;
  ConnectionOptions wanted;
  cli::Options options(
      "mig policy publish [FILE] [--fresh-key KEY] [--files DIR]",
      "Sends signed documents to the server, which checks them and gives them to "
      "every agent. Needs no\nkey: the documents verify themselves. Respond and admin actions are "
      "refused until somebody has\nstated that the new version is the newest: "
      "--fresh-key does so in the same go.");
  options.Word("FILE", "documents.json (default: of your folder)", false, &file);
  options.Text("files", '\0', "DIR",
               "write root.N.json and policy.json there, for the server's configuration, instead",
               &files_folder);
  options.Text("fresh-key", '\0', "KEY",
               "the freshness key (freshness.keys of the policy): a file, ssh:SHA256:… or "
               "gpg:FINGERPRINT",
               &fresh_key);
  wanted.AddConfigTo(options);
  AddFolderTo(options, &dir);
  options.Example("mig policy publish --fresh-key fresh.key",
                  "in force everywhere within seconds, also for what changes machines");
  options.Example("mig policy publish", "in force everywhere within seconds");
  options.Example("mig policy publish --files trust", "before the first start of a server");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto bundle = file.empty() ? folder->LoadDocuments() : LoadBundle(file);
  if (!bundle) return cli::Fail(terminal, bundle.error());
  auto missing = cli::MissingIn(*bundle);
  if (!missing) return cli::Fail(terminal, missing.error());
  for (const auto& lack : *missing) terminal.Remark(cli::MissingText(lack) + ".");
  if (!missing->empty()) {
    return cli::Fail(terminal, Error(Errc::kDenied, "signatures are missing: mig policy sign"));
  }
  auto fields = json::ParseObject(cli::WriteSigningBundle(*bundle));
  auto documents =
      fields ? ReadPolicyBundle(bundle->org(), *fields) : Expected<PolicyDocuments>(fields.error());
  if (!documents) return cli::Fail(terminal, documents.error());
  const std::string what = "Policy version " + std::to_string(documents->trusted.policy().version) +
                           " under root version " +
                           std::to_string(documents->trusted.root_version());
  if (!files_folder.empty()) {
    if (!fresh_key.empty()) {
      return cli::Fail(terminal,
                       Error(Errc::kInvalid,
                             "--fresh-key goes with publishing to a server; for its files: mig "
                             "policy fresh --out FILE, once it runs"));
    }
    auto written = WriteFiles(*documents, files_folder);
    if (!written) return cli::Fail(terminal, written.error());
    for (const auto& path : *written) terminal.Data(path.string() + "\n");
  } else {
    auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
    if (!config) return cli::Fail(terminal, config.error());
    if (config->org != documents->org) {
      return cli::Fail(terminal, Error(Errc::kInvalid,
                                       "the documents are of deployment " + documents->org.Text() +
                                           ", " + config->source + " is " + config->org.Text()));
    }
    if (auto stated = StateFreshness(fresh_key, *config, *documents, terminal); !stated) {
      return cli::Fail(terminal, stated.error());
    }
    cli::ApiClient api(*config, {});
    auto answer = api.PostPolicy(PolicyBundle(*documents));
    if (!answer) return cli::Fail(terminal, answer.error());
    const json::value* status = answer->if_contains("status");
    const std::string said =
        status != nullptr && status->is_string() ? std::string(status->get_string()) : "published";
    terminal.Data(what + ": " + EscapeForTerminal(said) + "\n");
    if (auto stated = TellFreshness(api, *documents, said == "published", terminal); !stated) {
      return cli::Fail(terminal, stated.error());
    }
  }
  if (auto noted = NotePublished(*folder, *bundle, *documents); !noted) {
    return cli::Fail(terminal, noted.error());
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus PolicyPull(Words words, cli::Terminal& terminal) {
  std::string dir;
  bool force = false;
  ConnectionOptions wanted;
  cli::Options options("mig policy pull [--force]",
                       "Takes the documents in force from the server, verified from the org in "
                       "your configuration, and\nwrites a draft that says the same.");
  options.Flag("force", '\0', "also over a draft with changes that were not published", &force);
  wanted.AddConfigTo(options);
  AddFolderTo(options, &dir);
  options.Example("mig policy pull", "before you change what a colleague may have changed");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = PolicyFolder::Of(dir);
  if (!folder) return cli::Fail(terminal, folder.error());
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return cli::Fail(terminal, config.error());
  if (auto made = folder->Make(); !made) return cli::Fail(terminal, made.error());
  if (!force && folder->LoadDraft()) {
    auto taken = TakeDraft(*folder, false, Now());
    auto documents = folder->LoadDocuments();
    auto published = folder->LoadPublished();
    auto changes = taken && documents && published ? ChangesText(*documents, *published)
                                                   : Expected<std::string>(std::string("?"));
    if (!changes || !changes->empty()) {
      return cli::Fail(terminal, Error(Errc::kExists, folder->Draft().string() +
                                                          " has changes that were not published; "
                                                          "--force throws them away"));
    }
  }
  cli::ApiClient api(*config, {});
  auto documents = api.GetDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  // A server that shows an older one than was published from here is not believed.
  if (auto published = folder->LoadPublished(); published && *published && (*published)->policy) {
    auto known = VerifyPolicyChain(config->org, (*published)->roots, *(*published)->policy);
    if (known) {
      auto step = CompareForUpdate(*known, documents->trusted);
      if (!step) return cli::Fail(terminal, std::move(step).error().During("the server's policy"));
    }
  }
  const cli::SigningBundle bundle = BundleOf(*documents);
  for (const auto& saved :
       {folder->SavePublished(bundle), folder->SaveDocuments(bundle),
        folder->SaveDraft(cli::WritePolicyDraft(documents->trusted.policy()))}) {
    if (!saved) return cli::Fail(terminal, saved.error());
  }
  terminal.Remark("Policy version " + std::to_string(documents->trusted.policy().version) +
                  " under root version " + std::to_string(documents->trusted.root_version()) +
                  " is in " + folder->folder().string() + ".");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
