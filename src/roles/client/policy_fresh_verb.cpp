// mig policy fresh: "this policy is still the newest", said again and again by a machine that is
// not the server. It remembers the newest policy it has seen, so that a server cannot have an older
// one confirmed.
#include <signal.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/policy_statement.h"
#include "roles/client/policy_verbs.h"
#include "trust/freshness.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kMaxDocumentBytes = 4 << 20;
constexpr std::chrono::minutes kLeastPeriod{1};
// After a failure: often enough to be back well before a statement of a day is old.
constexpr std::chrono::minutes kRetry{5};

Expected<std::filesystem::path> SeenFile(const OrgId& org) {
  auto folder = cli::UserStateFolder(cli::ProcessEnvironment);
  if (!folder) return folder;
  return *folder / "freshness" / (org.Text() + ".json");
}

Expected<std::optional<PolicyDocuments>> LoadSeen(const std::filesystem::path& file,
                                                  const OrgId& org) {
  auto text = os::ReadFile(file, kMaxDocumentBytes);
  if (!text && text.error().code() == Errc::kNotFound) return std::optional<PolicyDocuments>();
  if (!text) return std::move(text).error();
  auto fields = json::ParseObject(*text);
  if (!fields) return std::move(fields).error().During(file.string());
  auto documents = ReadPolicyBundle(org, *fields);
  if (!documents) return std::move(documents).error().During(file.string());
  return std::optional<PolicyDocuments>(std::move(*documents));
}

// What the server shows, unless it is older than what this machine, or `known`, has seen.
Expected<PolicyDocuments> Newest(const cli::ClientConfig& config, cli::ApiClient& api,
                                 const std::string& known) {
  auto documents = api.GetDocuments();
  if (!documents) return documents;
  auto seen_file = SeenFile(config.org);
  if (!seen_file) return std::move(seen_file).error();
  std::vector<std::filesystem::path> files = {*seen_file};
  if (!known.empty()) files.emplace_back(known);
  for (const auto& file : files) {
    auto seen = LoadSeen(file, config.org);
    if (!seen) return std::move(seen).error();
    // The first time nothing was seen here; but what somebody names must count.
    if (!*seen && file != *seen_file) {
      return Error(Errc::kNotFound, "--known " + file.string() + ": there is no such file");
    }
    if (!*seen) continue;
    auto step = CompareForUpdate((*seen)->trusted, documents->trusted);
    if (!step) {
      return std::move(step).error().During(
          "the server shows a policy that is not the newest (compared with " + file.string() + ")");
    }
  }
  std::error_code error;
  std::filesystem::create_directories(seen_file->parent_path().parent_path(), error);
  if (auto made = os::MakePrivateDirectory(seen_file->parent_path()); !made) {
    return std::move(made).error();
  }
  auto saved =
      os::WriteFileAtomically(*seen_file, json::WritePretty(PolicyBundle(*documents)) + "\n", 0600);
  if (!saved) return std::move(saved).error();
  return documents;
}

volatile std::sig_atomic_t stop_wanted = 0;

}  // namespace

Expected<Envelope> MakeStatement(const PolicyDocuments& documents, Signer& signer, UtcTime now) {
  const Freshness statement{documents.org, documents.trusted.policy().version,
                            documents.trusted.policy_digest(), now};
  auto envelope = Seal(kFreshnessType, EncodeFreshness(statement), signer);
  if (!envelope) return envelope;
  if (!documents.trusted.policy().freshness) {
    return Error(Errc::kDenied,
                 "the policy names no freshness key; add one: mig policy set "
                 "freshness '{keys: [LINE]}'");
  }
  auto verified = VerifyFreshness(*envelope, documents.trusted);
  if (!verified) return std::move(verified).error().During(signer.key().source);
  return envelope;
}

ExitStatus PolicyFresh(Words words, cli::Terminal& terminal) {
  bool publish = false;
  std::string out, known;
  std::chrono::milliseconds every{0};
  ConnectionOptions wanted;
  cli::Options options(
      "mig policy fresh --key KEY --publish [--every 6h]",
      "States that the policy in force is the newest. Agents refuse respond and admin actions "
      "without such a\nstatement, of at most a day. Run it on a machine that is not the server, "
      "with a key of its own that the\npolicy names (freshness.keys).");
  options.Flag("publish", '\0', "send it to the server (default: print it)", &publish);
  options.Text("out", 'o', "FILE", "write it there, for `policy.freshness` of a server", &out);
  options.Text("known", '\0', "FILE",
               "published.json of an administrator: nothing older is confirmed", &known);
  options.Duration("every", '\0', "go on, one each period, until stopped", &every);
  wanted.AddTo(options);
  options.Note(
      "The newest policy seen here is kept in ~/.local/state/mig/freshness: a server that "
      "shows an older one gets no statement.");
  options.Example("mig policy fresh --key fresh.key --publish", "from cron or a systemd timer");
  options.Example("mig policy fresh --key fresh.key --publish --every 6h", "as a service");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (options.Given("every") && (!publish || every < kLeastPeriod)) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "--every wants at least 1m, and --publish"));
  }
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return cli::Fail(terminal, config.error());
  auto signer = OpenPolicyKey(wanted, options);
  if (!signer) return cli::Fail(terminal, signer.error());
  const auto once = [&]() -> Expected<void> {
    cli::ApiClient api(*config, {});
    auto documents = Newest(*config, api, known);
    if (!documents) return std::move(documents).error();
    const UtcTime now = Now();
    auto statement = MakeStatement(*documents, **signer, now);
    if (!statement) return std::move(statement).error();
    const Bytes text = EncodeEnvelope(*statement);
    if (!out.empty()) {
      if (auto written = os::WriteFileAtomically(out, text, 0644); !written) return written;
    }
    if (publish) {
      auto answer = api.PostFreshness(*statement);
      if (!answer) return std::move(answer).error();
    } else if (out.empty()) {
      terminal.Data(text + "\n");
      return {};
    }
    terminal.Remark("Stated at " + FormatRfc3339(now) + ": policy version " +
                    std::to_string(documents->trusted.policy().version) + " is the newest.");
    return {};
  };
  if (every.count() == 0) {
    if (auto done = once(); !done) return cli::Fail(terminal, done.error());
    return cli::Finish(terminal, cli::kFound);
  }
  std::signal(SIGTERM, [](int) { stop_wanted = 1; });
  std::signal(SIGINT, [](int) { stop_wanted = 1; });
  while (stop_wanted == 0) {
    auto done = once();
    if (!done) terminal.Complain(done.error().message());
    const auto next = std::chrono::steady_clock::now() +
                      (done ? every : std::min<std::chrono::milliseconds>(every, kRetry));
    // In slices: a signal does not end a sleep of this thread by itself.
    while (stop_wanted == 0 && std::chrono::steady_clock::now() < next) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
