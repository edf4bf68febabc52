#include "roles/module/module_verb.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "cli/options.h"
#include "modules/module.h"
#include "os/cpu_share.h"
#include "os/files.h"
#include "os/priority.h"
#include "os/sandbox.h"
#include "proto/attachment_references.h"
#include "proto/limits.h"
#include "roles/module/answer_writer.h"
#include "roles/module/stdout_stream.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr int kExitFound = 0;
constexpr int kExitNothing = 1;
constexpr int kExitUsage = 2;
constexpr int kExitFailed = 3;
constexpr int kExitNotAnswered = 74;  // EX_IOERR: nobody reads our standard output

// An action is at most 256 KiB, but base64 and somebody's indentation may come on top.
constexpr std::size_t kMaxParameterBytes = 1u << 20;

// Past the deadline that the agent keeps itself, should the agent be stuck.
constexpr unsigned kGraceSeconds = 5;

constexpr std::uint64_t kMostThreads = 64;

struct Invocation {
  const Module* module = nullptr;
  bool frames = false;
  bool privacy = false;
  bool more_rights = false;
  std::optional<Limits> limits;
  std::uint64_t threads = 0;  // 0: not said
  std::uint64_t nice = os::kLowestPriority;
  std::vector<std::string> roots;
  std::vector<std::string> attachment_words;
  std::vector<std::pair<std::string, std::size_t>> attachments;  // name and bytes, as on stdin
  os::SandboxLevel required = os::SandboxLevel::kNone;
  std::vector<std::string> module_words;  // empty: parameters are on stdin
};

// The verb's own options, which stand before the module's.
struct OwnOptions {
  std::string limits, sandbox;
  Invocation invocation;
  cli::Options options;

  explicit OwnOptions(const std::string& name)
      : options("mig module " + name + " [options] [module options]",
                "Runs a module on this machine, in its sandbox, and prints its result as one JSON "
                "object.\nWithout options of the module its parameters are read from stdin, as "
                "JSON.") {
    options.Flag("frames", '\0', "answer in frames, as the agent reads it", &invocation.frames);
    options.Flag("more-rights", '\0',
                 "with the rights that the module needs for some parameters only; on the command "
                 "line they tell",
                 &invocation.more_rights);
    options.Flag("privacy", '\0', "mask what an agent with `privacy: true` would mask",
                 &invocation.privacy);
    options.Text("limits", '\0', "JSON", "the run's limits, as in an action: {\"seconds\":60}",
                 &limits);
    options.Integer("threads", '\0', "N",
                    "work in so many threads (default: half of the cores, within the limits' cpu)",
                    1, kMostThreads, &invocation.threads);
    options.Integer("nice", '\0', "N", "priority, 0 to 19 (default 19, the lowest; I/O too)", 0,
                    os::kLowestPriority, &invocation.nice);
    options.Texts("root", '\0', "PATH", "read files below this folder only; may be repeated",
                  &invocation.roots);
    options.Texts("attachment", '\0', "NAME=BYTES",
                  "that many bytes behind the parameters on stdin are this attachment",
                  &invocation.attachment_words);
    options.Choice("require-sandbox", '\0', {"full", "partial"},
                   "refuse to run in a weaker sandbox", &sandbox);
  }

  // Error: kInvalid.
  Expected<Invocation> Read(std::span<const std::string> words);
};

Expected<Invocation> OwnOptions::Read(std::span<const std::string> words) {
  if (auto parsed = options.Parse(words); !parsed) return std::move(parsed).error();
  for (const std::string& root : invocation.roots) {
    if (root.starts_with('/')) continue;
    return Error(Errc::kInvalid, "--root: `" + root + "` is not an absolute path");
  }
  for (const std::string& word : invocation.attachment_words) {
    const std::size_t equals = word.find('=');
    std::size_t bytes = 0;
    const char* const end = word.data() + word.size();
    const char* const begin = equals == word.npos ? end : word.data() + equals + 1;
    const auto [stop, error] = std::from_chars(begin, end, bytes);
    if (error != std::errc() || stop != end || bytes > kMaxAttachmentBytes) {
      return Error(Errc::kInvalid, "--attachment: `" + word + "` is not NAME=BYTES");
    }
    invocation.attachments.emplace_back(word.substr(0, equals), bytes);
  }
  for (const auto level : {os::SandboxLevel::kFull, os::SandboxLevel::kPartial}) {
    if (sandbox == os::SandboxLevelName(level)) invocation.required = level;
  }
  if (options.Given("limits")) {
    auto fields = json::ParseObject(limits);
    if (!fields) return std::move(fields).error().During("--limits");
    auto decoded = DecodeLimits(*fields, "--limits");
    if (!decoded) return std::move(decoded).error();
    invocation.limits = *decoded;
  }
  return std::move(invocation);
}

// How many of the words are the verb's own: those before the first that is none of its options.
std::size_t CountOwn(const cli::Options& own, std::span<const std::string> words) {
  std::size_t count = 0;
  while (count < words.size()) {
    cli::OptionWord word;
    if (!cli::ReadOptionWord(words[count], &word)) break;
    const cli::Option* option = own.Find(word.name);
    if (option == nullptr) break;
    count += option->TakesValue() && !word.has_value ? 2 : 1;
  }
  return std::min(count, words.size());
}

Expected<Bytes> ReadStdin(std::size_t most) {
  Bytes text;
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os::ErrnoError(errno, "read the parameters");
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > most) {
      return Error(Errc::kFull,
                   "read the parameters: more than " + std::to_string(most) + " bytes");
    }
  }
}

Expected<json::object> ReadParameters(const Invocation& invocation) {
  if (!invocation.module_words.empty()) {
    return ParametersFromArguments(*invocation.module, invocation.module_words);
  }
  std::size_t attached = 0;
  for (const auto& [name, bytes] : invocation.attachments) attached += bytes;
  auto text = ReadStdin(kMaxParameterBytes + attached);
  if (!text) return std::move(text).error();
  if (text->size() < attached) {
    return Error(Errc::kMalformed, "read the parameters: the attachments are cut short");
  }
  const std::size_t split = text->size() - attached;
  auto parameters = json::ParseObject(BytesView(*text).substr(0, split));
  if (!parameters) return std::move(parameters).error().During("parameters");
  if (invocation.attachments.empty()) return parameters;
  return ExpandAttachments(*parameters, [&](std::string_view wanted) -> std::optional<BytesView> {
    std::size_t begin = split;
    for (const auto& [name, bytes] : invocation.attachments) {
      if (name == wanted) return BytesView(*text).substr(begin, bytes);
      begin += bytes;
    }
    return std::nullopt;
  });
}

// Half of the machine stays with those it belongs to.
unsigned ThreadsFor(const Invocation& invocation) {
  if (invocation.threads > 0) return static_cast<unsigned>(invocation.threads);
  const unsigned half = std::max(os::UsableCores() / 2, 1U);
  if (!invocation.limits) return half;
  return std::clamp((invocation.limits->cpu + 99) / 100, 1U, half);
}

Expected<os::SandboxReport> Confine(const Invocation& invocation) {
  const Limits limits = invocation.limits.value_or(Limits());
  // The sandbox leaves neither.
  if (auto set = os::SetPriority(static_cast<int>(invocation.nice)); !set) {
    return std::move(set).error();
  }
  os::SandboxRequest request;
  request.rights = invocation.module->rights;
  if (invocation.more_rights) request.rights = request.rights | invocation.module->more_rights;
  request.read_roots = invocation.roots;
  request.limits.memory_bytes = limits.rss;
  if (invocation.limits) {
    request.limits.cpu_seconds = limits.seconds + kGraceSeconds;
    ::alarm(limits.seconds + kGraceSeconds);  // its default action ends the process
  }
  auto report = os::EnterSandbox(request);
  if (!report) return std::move(report).error().During("sandbox");
  if (report->level > invocation.required) {
    return Error(Errc::kDenied,
                 "sandbox: " + std::string(os::SandboxLevelName(invocation.required)) +
                     " is required, but here it is " +
                     std::string(os::SandboxLevelName(report->level)) + " (" +
                     Join(report->missing, "; ") + ")");
  }
  if (invocation.limits) {
    if (auto held = os::LimitCpuShare(limits.cpu, ThreadsFor(invocation)); !held)
      return std::move(held).error();
  }
  return report;
}

// The run, from inside the sandbox, into `answer`.
ModuleResult Answer(const Invocation& invocation, const Expected<os::SandboxReport>& confined,
                    AnswerWriter& answer) {
  if (!confined) return FailedResult(confined.error().message());
  ModuleResult result;
  auto parameters = ReadParameters(invocation);
  if (parameters) {
    const std::uint64_t rate = invocation.limits ? invocation.limits->rate : 0;
    RunContext context{answer, Now(), ThreadsFor(invocation), rate, invocation.more_rights};
    result = RunModule(*invocation.module, *parameters, context, invocation.privacy);
  } else {
    result = FailedResult(parameters.error().message());
  }
  result.sandbox = os::SandboxLevelName(confined->level);
  result.sandbox_missing = confined->missing;
  return result;
}

int Run(const Invocation& invocation) {
  // Before anything that came from outside is read; the words of the command line are the agent's.
  const auto confined = Confine(invocation);
  const Limits limits = invocation.limits.value_or(Limits());
  const AnswerLimits answer_limits{limits.rows, limits.bytes};
  StdoutStream out;
  std::unique_ptr<AnswerWriter> answer;
  if (invocation.frames) {
    answer = std::make_unique<FrameWriter>(out, answer_limits);
  } else {
    answer = std::make_unique<JsonWriter>(out, answer_limits);
  }
  ModuleResult result = Answer(invocation, confined, *answer);
  const bool success = result.success;
  const bool found = result.foundanything;
  if (!answer->Finish(std::move(result))) return kExitNotAnswered;
  if (invocation.frames) return kExitFound;
  return !success ? kExitFailed : found ? kExitFound : kExitNothing;
}

int ListModules() {
  for (const Module* module : AllModules()) {
    std::printf("%-12.*s %-12.*s %2d  %.*s\n", static_cast<int>(module->name.size()),
                module->name.data(), static_cast<int>(KindName(module->kind).size()),
                KindName(module->kind).data(), module->version,
                static_cast<int>(module->summary.size()), module->summary.data());
  }
  return kExitFound;
}

int Complain(const std::string& message) {
  std::fprintf(stderr, "mig module: %s\n", EscapeForTerminal(message).c_str());
  return kExitUsage;
}

bool IsHelp(std::string_view word) {
  return word == "--help" || word == "-help" || word == "-h" || word == "help";
}

std::string HelpPage() {
  OwnOptions own("NAME");
  own.options.Note("`mig module list` names the modules, `mig module NAME --help` their options.");
  own.options.Example("mig module ping -d 192.0.2.1 -p tcp -dp 443", "asks, as an agent would");
  own.options.Example("mig module example < parameters.json", "with the parameters of an action");
  return own.options.Help();
}

}  // namespace

int RunModuleVerb(std::span<const std::string> arguments) {
  if (arguments.empty() || IsHelp(arguments[0])) {
    std::fputs(HelpPage().c_str(), arguments.empty() ? stderr : stdout);
    return arguments.empty() ? kExitUsage : kExitFound;
  }
  if (arguments[0] == "list") return ListModules();
  const Module* module = FindModule(arguments[0]);
  if (module == nullptr) {
    std::vector<std::string> names;
    for (const Module* other : AllModules()) names.emplace_back(other->name);
    const std::string hint = DidYouMean(arguments[0], names);
    return Complain("there is no module `" + arguments[0] + "`" +
                    (hint.empty() ? "; see mig module list" : ", " + hint));
  }
  if (arguments.size() > 1 && IsHelp(arguments[1])) {
    std::fputs(ModuleHelp(*module).c_str(), stdout);
    return kExitFound;
  }
  OwnOptions own(arguments[0]);
  const std::span<const std::string> words = arguments.subspan(1);
  const std::size_t own_words = CountOwn(own.options, words);
  auto invocation = own.Read(words.first(own_words));
  if (!invocation) return Complain(invocation.error().message());
  invocation->module = module;
  invocation->module_words.assign(words.begin() + static_cast<std::ptrdiff_t>(own_words),
                                  words.end());
  if (!invocation->module_words.empty()) {
    // A slip of the fingers is a matter of the command line, not an answer of the module.
    auto parameters = ParametersFromArguments(*module, invocation->module_words);
    if (!parameters) return Complain(parameters.error().message());
    invocation->more_rights = NeedsMoreRights(*module, *parameters);
  } else if (::isatty(STDIN_FILENO) != 0) {
    return Complain("parameters are read from stdin, as JSON, or given as flags; see mig module " +
                    arguments[0] + " --help");
  }
  const int status = Run(*invocation);
  // Not exit(): what the sandbox forbids, an exit handler (a sanitizer's leak check) may want.
  ::_exit(status);
}

}  // namespace mig
