#include "roles/module/module_verb.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "modules/module.h"
#include "os/cpu_share.h"
#include "os/files.h"
#include "os/sandbox.h"
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

struct Invocation {
  const Module* module = nullptr;
  bool frames = false;
  bool privacy = false;
  std::optional<Limits> limits;
  std::vector<std::string> roots;
  os::SandboxLevel required = os::SandboxLevel::kNone;
  std::vector<std::string> module_words;  // empty: parameters are on stdin
};

Error Usage(std::string message) { return Error(Errc::kInvalid, std::move(message)); }

Expected<os::SandboxLevel> ParseLevel(std::string_view name) {
  for (const auto level : {os::SandboxLevel::kFull, os::SandboxLevel::kPartial}) {
    if (name == os::SandboxLevelName(level)) return level;
  }
  return Usage("--require-sandbox: `" + std::string(name) + "` is neither full nor partial");
}

Expected<void> TakeValue(Invocation& invocation, std::string_view flag, const std::string& value) {
  if (flag == "root") {
    if (!value.starts_with('/')) return Usage("--root: `" + value + "` is not an absolute path");
    invocation.roots.push_back(value);
    return {};
  }
  if (flag == "require-sandbox") {
    auto level = ParseLevel(value);
    if (!level) return std::move(level).error();
    invocation.required = *level;
    return {};
  }
  auto fields = json::ParseObject(value);
  if (!fields) return std::move(fields).error().During("--limits");
  auto limits = DecodeLimits(*fields, "--limits");
  if (!limits) return std::move(limits).error();
  invocation.limits = *limits;
  return {};
}

// `words` are those after the module's name.
Expected<Invocation> ParseInvocation(const Module& module, std::span<const std::string> words) {
  Invocation invocation;
  invocation.module = &module;
  std::size_t i = 0;
  for (; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (!word.starts_with('-')) break;
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    if (word == "frames") {
      invocation.frames = true;
    } else if (word == "privacy") {
      invocation.privacy = true;
    } else {
      const std::size_t equals = word.find('=');
      const std::string_view flag = word.substr(0, equals);
      if (flag != "limits" && flag != "root" && flag != "require-sandbox") break;
      std::string value;
      if (equals != std::string_view::npos) {
        value = word.substr(equals + 1);
      } else if (i + 1 < words.size()) {
        value = words[++i];
      } else {
        return Usage("--" + std::string(flag) + " wants a value");
      }
      if (auto taken = TakeValue(invocation, flag, value); !taken) {
        return std::move(taken).error();
      }
    }
  }
  invocation.module_words.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  return invocation;
}

Expected<Bytes> ReadStdin() {
  Bytes text;
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os::ErrnoError(errno, "read the parameters");
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxParameterBytes) {
      return Error(Errc::kFull, "read the parameters: more than " +
                                    std::to_string(kMaxParameterBytes) + " bytes");
    }
  }
}

Expected<json::object> ReadParameters(const Invocation& invocation) {
  if (!invocation.module_words.empty()) {
    return ParametersFromArguments(*invocation.module, invocation.module_words);
  }
  auto text = ReadStdin();
  if (!text) return std::move(text).error();
  auto parameters = json::ParseObject(*text);
  if (!parameters) return std::move(parameters).error().During("parameters");
  return parameters;
}

Expected<os::SandboxReport> Confine(const Invocation& invocation) {
  const Limits limits = invocation.limits.value_or(Limits());
  os::SandboxRequest request;
  request.rights = invocation.module->rights;
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
    if (auto held = os::LimitCpuShare(limits.cpu); !held) return std::move(held).error();
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
    RunContext context{answer, Now()};
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

constexpr const char* kUsage =
    "mig module NAME [own flags] [-flag value …]   runs a module here, in its sandbox\n"
    "mig module list                               names the modules\n"
    "mig module NAME --help                        tells a module's flags\n"
    "\n"
    "Without flags of the module its parameters are read from stdin, as JSON.\n"
    "Own flags, before the module's: --frames, --privacy, --limits JSON, --root PATH,\n"
    "--require-sandbox full|partial.\n";

}  // namespace

int RunModuleVerb(std::span<const std::string> arguments) {
  if (arguments.empty() || IsHelp(arguments[0])) {
    std::fputs(kUsage, arguments.empty() ? stderr : stdout);
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
  auto invocation = ParseInvocation(*module, arguments.subspan(1));
  if (!invocation) return Complain(invocation.error().message());
  if (!invocation->module_words.empty()) {
    // A slip of the fingers is a matter of the command line, not an answer of the module.
    auto parameters = ParametersFromArguments(*module, invocation->module_words);
    if (!parameters) return Complain(parameters.error().message());
  } else if (::isatty(STDIN_FILENO) != 0) {
    return Complain("parameters are read from stdin, as JSON, or given as flags; see mig module " +
                    arguments[0] + " --help");
  }
  const int status = Run(*invocation);
  // Not exit(): what the sandbox forbids, an exit handler (a sanitizer's leak check) may want.
  ::_exit(status);
}

}  // namespace mig
