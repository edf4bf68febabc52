// mig completion bash|zsh|fish: prints a script for the shell. It asks this executable for verbs,
// modules and options when the key is pressed, so it need not be made again for a new version.
#include "cli/verb.h"
#include "roles/client/client.h"

namespace mig {
namespace {

// Words that fit behind those typed so far: verbs and modules first; then, from the help of what
// was typed, its options and the verbs below it.
constexpr std::string_view kBash = R"sh(_mig() {
  local current=${COMP_WORDS[COMP_CWORD]} word words=() typed=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) break ;; esac
    [ ${#typed[@]} -lt 2 ] && typed+=("$word")
  done
  if [ ${#typed[@]} -eq 0 ]; then
    words+=(help $(mig --list 2>/dev/null) $(mig module list 2>/dev/null | cut -d' ' -f1))
  else
    words+=($(mig "${typed[@]}" --help 2>/dev/null </dev/null |
      grep -oE '^  [a-z]+  |(^|[ ,])--?[a-z][a-z0-9-]*' | tr -d ' ,' | sort -u))
  fi
  COMPREPLY=($(compgen -W "${words[*]}" -- "$current"))
}
complete -o default -F _mig mig
)sh";

constexpr std::string_view kFish = R"sh(function __mig_words
  set -l typed
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    test (count $typed) -lt 2; and set -a typed $word
  end
  if test (count $typed) -eq 0
    echo help
    mig --list 2>/dev/null
    mig module list 2>/dev/null | string replace -r ' .*' ''
  else
    mig $typed --help 2>/dev/null </dev/null |
      string match -ar '^  [a-z]+  |(?:^|[ ,])--?[a-z][a-z0-9-]*' | string trim -c ' ,' | sort -u
  end
end
complete -c mig -a '(__mig_words)'
)sh";

// zsh understands the script for bash once it is told to.
constexpr std::string_view kZshBefore = "autoload -U +X bashcompinit && bashcompinit\n";

}  // namespace

int RunCompletion(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  std::string shell;
  cli::Options options("mig completion bash|zsh|fish",
                       "Prints a script that completes verbs, modules and options in your shell.");
  options.Word("SHELL", "bash, zsh or fish", true, &shell);
  options.Example("mig completion bash > /etc/bash_completion.d/mig", "for everybody, in bash");
  options.Example("source <(mig completion zsh)", "for this session, in zsh");
  options.Example("mig completion fish | source", "for this session, in fish");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (shell == "bash") {
    terminal.Data(kBash);
  } else if (shell == "zsh") {
    terminal.Data(kZshBefore);
    terminal.Data(kBash);
  } else if (shell == "fish") {
    terminal.Data(kFish);
  } else {
    terminal.Complain("`" + shell + "` is none of bash, zsh and fish");
    return cli::kUsage;
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
