// mig query MODULE …: asks a question of many machines.
#include <algorithm>

#include "cli/action_file.h"
#include "cli/explanation.h"
#include "cli/new_action.h"
#include "cli/verb.h"
#include "modules/module.h"
#include "os/priority.h"
#include "proto/target.h"
#include "roles/client/answer_options.h"
#include "roles/client/attached_files.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/local_run.h"
#include "roles/client/query_arguments.h"
#include "roles/client/sending.h"
#include "roles/client/target_note.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;
using std::chrono::milliseconds;

constexpr std::string_view kDefaultTarget = "status='online'";
constexpr std::string_view kLocal = "local";
constexpr milliseconds kShortestExpire{1'000};
constexpr Limits kNoCeilings{UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX, 0};

// What was asked for on the command line.
struct Query {
  const Module* module = nullptr;
  json::object parameters;
  std::vector<AttachedFile> files;  // that the parameters refer to
  ConnectionOptions connection;
  AnswerOptions answers;
  std::string target, name, reason;
  milliseconds expire = cli::kDefaultExpire;
  bool print_only = false, detach = false, yes = false;
  Limits limits;
  std::uint64_t seconds = 0, cpu = 0, threads = 0, nice = 0;

  void AddTo(cli::Options& options) {
    options.Text("target", 't', "EXPR",
                 "which machines (default: all online); `local`: this one, without any server",
                 &target);
    options.Duration("expire", 'e', "how long machines may still take it up (default 5m)", &expire);
    answers.AddTo(options);
    options.Flag("print", 'p', "print the signed action and send nothing", &print_only);
    options.Flag("yes", 'y', "sign without asking, also what changes machines", &yes);
    options.Flag("detach", '\0', "send it, print its id, and do not wait for answers", &detach);
    // Not "name": modules have that, and it would be taken for this where it comes first.
    options.Text("title", 'n', "TEXT", "what lists call it (default: the command line)", &name);
    options.Text("reason", '\0', "TEXT", "why, for the ledgers of those who are asked", &reason);
    options.Integer("max-seconds", '\0', "N", "wall clock of a run on one machine (default 300)", 1,
                    86'400, &seconds);
    options.Integer("max-cpu", '\0', "PERCENT", "of one core, averaged (default 50)", 1, 6'400,
                    &cpu);
    options.Integer(
        "threads", '\0', "N",
        "work in so many threads at full speed: --max-cpu of N cores (-t local: half of "
        "the cores)",
        1, 64, &threads);
    options.Integer("nice", '\0', "N",
                    "-t local: priority of the run, 0 to 19 (default 19, the lowest)", 0,
                    os::kLowestPriority, &nice);
    options.Size("max-rss", '\0', "memory of a run on one machine (default 512m)", &limits.rss);
    options.Integer("max-rows", '\0', "N", "elements that one machine may answer (default 1000000)",
                    1, 1'000'000'000, &limits.rows);
    options.Size("max-bytes", '\0', "size of one machine's answer (default 1g)", &limits.bytes);
    options.Size("max-rate", '\0', "bytes that a run reads from files in a second (default: any)",
                 &limits.rate);
    connection.AddTo(options);
  }
  SendOptions Sending() const { return {detach, yes, &answers}; }
};

// Limits that were typed stay as they are, and the policy's ceilings have the last word: better to
// say so now than to be refused everywhere.
Expected<Limits> ChooseLimits(const Query& query, const cli::Options& options,
                              const Limits& ceilings) {
  Limits limits = cli::DefaultLimits(ceilings);
  if (options.Given("max-seconds")) limits.seconds = static_cast<std::uint32_t>(query.seconds);
  // An agent works in as many threads as the limit keeps busy.
  if (options.Given("threads")) limits.cpu = static_cast<std::uint32_t>(query.threads * 100);
  if (options.Given("max-cpu")) limits.cpu = static_cast<std::uint32_t>(query.cpu);
  if (options.Given("max-rss")) limits.rss = query.limits.rss;
  if (options.Given("max-rows")) limits.rows = query.limits.rows;
  if (options.Given("max-bytes")) limits.bytes = query.limits.bytes;
  if (options.Given("max-rate")) limits.rate = query.limits.rate;
  const std::string above = FirstAbove(limits, ceilings);
  if (above.empty()) return limits;
  return Error(Errc::kInvalid, "--max-" + above + ": the policy allows less");
}

// What makes no sense where nothing is signed or sent.
Expected<void> CheckLocal(const cli::Options& options) {
  for (const char* name :
       {"expire", "print", "detach", "yes", "title", "reason", "config", "key", "passphrase-fd"}) {
    if (options.Given(name)) {
      return Error(Errc::kInvalid,
                   std::string("--") + name + ": with `-t local` nothing is signed or sent");
    }
  }
  return {};
}

// What only the machine in front of us can be asked for.
Expected<void> CheckRemote(const cli::Options& options) {
  if (options.Given("nice")) {
    return Error(Errc::kInvalid, "--nice: agents always work at the lowest priority");
  }
  if (options.Given("threads") && options.Given("max-cpu")) {
    return Error(Errc::kInvalid,
                 "--threads and --max-cpu: for an agent they are the same limit, so give one");
  }
  return {};
}

Expected<void> CheckValidity(const Query& query, const Policy& policy) {
  const auto longest = policy.validity.find(query.module->kind);
  const std::string kind(KindName(query.module->kind));
  if (longest == policy.validity.end()) {
    return Error(Errc::kDenied, "the policy allows no action of kind " + kind);
  }
  if (query.expire + cli::kBackdated <= longest->second) return {};
  return Error(Errc::kInvalid, "--expire " + FormatDuration(query.expire) +
                                   ": the policy lets an action of kind " + kind +
                                   " be valid for at most " +
                                   FormatDuration(longest->second - cli::kBackdated));
}

cli::Draft DraftFor(const Query& query, const cli::ClientConfig& config, const Signer& signer,
                    std::uint64_t policy) {
  cli::Draft draft;
  draft.id = cli::NewActionId();
  draft.org = config.org;
  draft.policy = policy;
  draft.author = signer.name();
  draft.name = query.name;
  draft.reason = query.reason;
  return draft;
}

Action ActionFor(const Query& query, const cli::Draft& draft, const Limits& limits) {
  Action action = cli::MakeAction(draft, query.module->kind, query.target,
                                  {{std::string(query.module->name), query.parameters}}, limits,
                                  query.expire, Now());
  action.attachments = AttachmentsOf(query.files);
  return action;
}

// What was typed, else the default or what the policy allows for the kind, if that is less.
milliseconds Expire(const Query& query, const cli::Options& options, Kind kind,
                    const Policy& policy) {
  const auto longest = policy.validity.find(kind);
  if (options.Given("expire") || longest == policy.validity.end()) return query.expire;
  return std::min(query.expire, std::max(longest->second - cli::kBackdated, kShortestExpire));
}

ExitStatus PrintSigned(Action action, const std::vector<cli::ShownAgent>& shown, Signer& signer,
                       const TrustedPolicy* policy, cli::Terminal& terminal) {
  auto audience = GiveAudience(action, shown);
  if (!audience) return cli::Fail(terminal, audience.error());
  auto envelope = Seal(kActionType, EncodeAction(action), signer);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  // What was signed, for the person; the file is for programs.
  const std::string explanation =
      cli::Explain(cli::Explained{*envelope, action, policy, {}, Now()});
  for (const std::string_view line : Split(explanation, '\n')) {
    if (!line.empty()) terminal.Remark(line);
  }
  terminal.Data(cli::ActionFileText(*envelope, *audience));
  return cli::Finish(terminal, cli::kFound);
}

// -p: everything but the sending. The policy's version and ceilings come from the server where one
// answers; without, the action asks for no version and takes the default limits. One that changes
// something names its machines, so it needs the server.
ExitStatus PrintAction(Query& query, const cli::Options& options, cli::Terminal& terminal) {
  std::vector<cli::ShownAgent> shown;
  Expected<Identity> identity = Error(Errc::kInternal, "");
  if (cli::NeedsAudience(query.module->kind)) {
    auto connection = Connect(query.connection, options, terminal);
    if (!connection) return cli::Fail(terminal, connection.error());
    auto targets = connection->api->GetTargets(query.target);
    if (!targets) return cli::Fail(terminal, std::move(targets).error().During("--target"));
    shown = std::move(*targets);
    identity = Identity{connection->config, std::move(connection->signer)};
  } else {
    identity = LoadIdentity(query.connection, options);
  }
  if (!identity) return cli::Fail(terminal, identity.error());
  cli::ApiClient api(identity->config, {}, milliseconds(0));
  std::uint64_t version = 0;
  Limits ceilings = kNoCeilings;
  auto policy = api.GetPolicy();
  if (policy) {
    version = policy->policy().version;
    ceilings = policy->policy().ceilings;
    query.expire = Expire(query, options, query.module->kind, policy->policy());
    if (auto valid = CheckValidity(query, policy->policy()); !valid) {
      return cli::Fail(terminal, valid.error());
    }
  } else {
    terminal.Remark("The policy could not be looked at (" + policy.error().message() +
                    "): the action names no lowest version.");
  }
  auto limits = ChooseLimits(query, options, ceilings);
  if (!limits) return cli::Fail(terminal, limits.error());
  Action action =
      ActionFor(query, DraftFor(query, identity->config, *identity->signer, version), *limits);
  return PrintSigned(std::move(action), shown, *identity->signer, policy ? &*policy : nullptr,
                     terminal);
}

ExitStatus SendQuery(Query& query, const cli::Options& options, cli::Terminal& terminal) {
  auto connection = Connect(query.connection, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto policy = connection->api->GetPolicy();
  if (!policy) return cli::Fail(terminal, policy.error());
  query.expire = Expire(query, options, query.module->kind, policy->policy());
  if (auto valid = CheckValidity(query, policy->policy()); !valid) {
    return cli::Fail(terminal, valid.error());
  }
  auto limits = ChooseLimits(query, options, policy->policy().ceilings);
  if (!limits) return cli::Fail(terminal, limits.error());
  Action action = ActionFor(
      query, DraftFor(query, connection->config, *connection->signer, policy->policy().version),
      *limits);
  if (auto brought = BringAttachedFiles(*connection->api, query.files, terminal); !brought) {
    return cli::Fail(terminal, brought.error());
  }
  return SendNew(*connection, *policy, std::move(action), query.Sending(), terminal);
}

// -i FILE: what MIG or `mig query -p` wrote.
ExitStatus SendFile(Query& query, const std::string& file, const cli::Options& options,
                    cli::Terminal& terminal) {
  auto loaded = cli::LoadActionFile(file);
  if (!loaded) return cli::Fail(terminal, loaded.error());
  if (auto good = query.answers.Check(); !good) return cli::Fail(terminal, good.error());
  if (auto good = CheckRemote(options); !good) return cli::Fail(terminal, good.error());
  if (loaded->envelope) {
    for (const char* name :
         {"target", "expire", "title", "reason", "print", "max-seconds", "max-cpu", "threads",
          "max-rss", "max-rows", "max-bytes", "max-rate"}) {
      if (!options.Given(name)) continue;
      return cli::Fail(terminal, Error(Errc::kInvalid, "--" + std::string(name) + ": " + file +
                                                           " is signed, and stays as it is"));
    }
  }
  auto connection = Connect(query.connection, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto policy = connection->api->GetPolicy();
  if (!policy) return cli::Fail(terminal, policy.error());
  if (loaded->envelope) {
    return SendSigned(*connection, *policy, std::move(*loaded->envelope), loaded->audience,
                      query.Sending(), terminal);
  }
  cli::MigAction& mig = *loaded->mig;
  for (const std::string& remark : mig.remarks) terminal.Remark(file + ": " + remark);
  if (options.Given("target")) {
    if (auto target = Target::Parse(query.target); !target) {
      return cli::Fail(terminal, std::move(target).error().During("--target"));
    }
    mig.target = query.target;
  }
  if (options.Given("title")) mig.name = query.name;
  if (mig.validfrom && options.Given("expire")) mig.validfrom = mig.expireafter = std::nullopt;
  auto limits = ChooseLimits(query, options, policy->policy().ceilings);
  if (!limits) return cli::Fail(terminal, limits.error());
  Action action = cli::ActionFrom(
      mig, DraftFor(query, connection->config, *connection->signer, policy->policy().version),
      *limits, Expire(query, options, mig.kind, policy->policy()), Now());
  terminal.Remark("Asking: " + action.name);
  if (query.print_only) {
    auto shown = connection->api->GetTargets(action.target);
    if (!shown) return cli::Fail(terminal, shown.error());
    return PrintSigned(std::move(action), *shown, *connection->signer, &*policy, terminal);
  }
  return SendNew(*connection, *policy, std::move(action), query.Sending(), terminal);
}

std::string ModuleList() {
  std::string text = "Modules:\n";
  for (const Module* module : AllModules()) {
    std::string name(module->name);
    name.resize(std::max<std::size_t>(name.size(), 12), ' ');
    text += "  " + name + std::string(module->summary) + "\n";
  }
  text.pop_back();
  return text;
}

// Whether the place decides what an option of the module means (query_arguments.h).
bool HasHomonyms(const Module& module, const cli::Options& options) {
  return std::any_of(module.parameters.begin(), module.parameters.end(),
                     [&](const Parameter& parameter) {
                       return !parameter.flag.empty() && options.Find(parameter.flag) != nullptr;
                     });
}

// `module`: null where all are meant.
void Describe(cli::Options& options, const Module* module) {
  options.Note(
      "TIME is 90s, 5m, 1h30m or 2d; SIZE is 64k, 8m or 1g. One dash or two mean the same.");
  if (module == nullptr || HasHomonyms(*module, options)) {
    options.Note(
        "Some modules have an option of the same name, as ping has -t. Before the first option of "
        "the module\nsuch a name is one of these, after it the module's:\n"
        "    mig query ping -t \"name = 'web1'\" -d 192.0.2.1 -t 5    web1 waits 5 seconds for "
        "192.0.2.1");
  }
  options.Note(TargetNote());
  AnswerOptions::AddExitNote(options);
}

// Nothing when a file was named, and is to be sent.
std::optional<ExitStatus> Usage(std::span<const std::string> words, cli::Options& options,
                                cli::Terminal& terminal, const std::string& file) {
  Describe(options, nullptr);
  options.Note(ModuleList() + "\n\nTheir options: mig help MODULE");
  options.Example("mig query file -path /etc -name '^passwd$'", "asks every agent that is online");
  options.Example("mig query file -t \"name LIKE 'web%'\" -e 1h -path /usr/bin -sha2 HASH -json",
                  "web servers, also those that come back within the hour; for a program");
  options.Example("mig query file -t local -path /tmp -mtime '<1d'",
                  "only this machine, without any server");
  options.Example("mig query -i suspicious.json -t \"name LIKE 'web%'\"",
                  "an action of MIG, for other machines than its file names");
  if (auto ended = cli::ParseWords(options, words, terminal)) return ended;
  if (!file.empty()) return std::nullopt;
  terminal.Complain("name a module: mig query MODULE …");
  terminal.Remark(ModuleList());
  return cli::kUsage;
}

}  // namespace

int RunQuery(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  Query query;
  query.target = kDefaultTarget;
  const std::string word = arguments.empty() ? std::string() : arguments[0];
  cli::Options options("mig query " + (word.empty() || word[0] == '-' ? "MODULE" : word) +
                           " [-t TARGET] [options] [module options]",
                       "Asks a question of many machines: shows how many it reaches, signs it with "
                       "your key,\nsends it, checks and prints the answers as they arrive.");
  query.AddTo(options);
  if (word.empty() || word[0] == '-') {
    std::string file;
    options.Text("file", 'i', "FILE",
                 "an action in a file: of MIG (syntax version 2), or signed, from `mig query -p`",
                 &file);
    if (const auto ended = Usage(arguments, options, terminal, file)) return *ended;
    return SendFile(query, file, options, terminal);
  }

  query.module = FindModule(word);
  if (query.module == nullptr) {
    std::vector<std::string> names;
    for (const Module* module : AllModules()) names.emplace_back(module->name);
    const std::string hint = DidYouMean(word, names);
    terminal.Complain("there is no module `" + word + "`" +
                      (hint.empty() ? "; `mig query --help` lists them" : ", " + hint));
    return cli::kUsage;
  }
  auto split = SplitQueryArguments(options, *query.module, arguments.subspan(1));
  if (!split) return cli::Fail(terminal, split.error());
  Describe(options, query.module);
  if (auto parsed = options.Parse(split->own); !parsed) {
    return cli::Fail(terminal, parsed.error());
  }
  if (options.help_wanted()) {
    terminal.Data(ModuleHelp(*query.module) + "\n" + options.Help());
    return cli::Finish(terminal, cli::kFound);
  }
  if (auto good = query.answers.Check(); !good) return cli::Fail(terminal, good.error());
  if (query.expire < kShortestExpire) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "--expire: at least 1s"));
  }
  std::vector<NamedFile> files;
  auto parameters = ParametersFromArguments(*query.module, split->module, &files);
  if (!parameters) {
    const ExitStatus status = cli::Fail(terminal, parameters.error());
    terminal.Remark("Try: mig help " + word);
    return status;
  }
  query.parameters = std::move(*parameters);
  if (!files.empty()) {
    auto read = ReadAttachedFiles(files);
    if (!read) return cli::Fail(terminal, read.error());
    query.files = std::move(*read);
    auto good = CheckAttachedFiles(*query.module, query.parameters, query.files);
    if (!good) return cli::Fail(terminal, good.error());
  }
  if (query.name.empty()) query.name = cli::NameFromWords(word, split->module);
  if (query.target == kLocal) {
    if (auto good = CheckLocal(options); !good) return cli::Fail(terminal, good.error());
    auto limits = ChooseLimits(query, options, kNoCeilings);
    if (!limits) return cli::Fail(terminal, limits.error());
    LocalPriority priority;
    if (options.Given("threads")) priority.threads = query.threads;
    if (options.Given("nice")) priority.nice = query.nice;
    // Here only what was typed limits it: it has half of the cores, and the lowest priority.
    if (!options.Given("max-cpu") && !priority.threads) {
      priority.threads = std::clamp(os::UsableCores() / 2, 1U, 64U);
      limits->cpu = static_cast<std::uint32_t>(*priority.threads * 100);
    }
    return RunLocal(*query.module, query.parameters, query.files, *limits, priority,
                    query.answers.ForReader(), terminal);
  }
  if (auto good = CheckRemote(options); !good) return cli::Fail(terminal, good.error());
  if (auto target = Target::Parse(query.target); !target) {
    return cli::Fail(terminal, std::move(target).error().During("--target"));
  }
  if (!options.Given("target")) {
    terminal.Remark("No target was given; asking all agents that are online (-t \"" + query.target +
                    "\").");
  }
  return query.print_only ? PrintAction(query, options, terminal)
                          : SendQuery(query, options, terminal);
}

}  // namespace mig
