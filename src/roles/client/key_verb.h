// The verbs below `mig key` (key_verb.cpp has their table), and what several of them need.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "cli/client_config.h"
#include "cli/exit_status.h"
#include "cli/known_keys.h"
#include "cli/options.h"
#include "cli/secret_key.h"
#include "cli/terminal.h"
#include "util/expected.h"

namespace mig {

struct KeyVerb {
  std::string_view name;
  std::string_view summary;
  cli::ExitStatus (*run)(std::span<const std::string> words, cli::Terminal& terminal);
};

cli::ExitStatus RunKeyNew(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyList(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyShow(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyUse(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyPassphrase(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyUnlock(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyAgent(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyLock(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyImport(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunKeyExport(std::span<const std::string> words, cli::Terminal& terminal);

// The key that a verb works on: an optional word KEY, else the one that verbs sign with.
struct KeyWord {
  std::string text;
  cli::ConfigOptions config;

  void AddTo(cli::Options& options);
  Expected<cli::KeyChoice> Choice() const;
  // For verbs that need the secret itself. Error: kInvalid: it is held by another program.
  Expected<std::filesystem::path> File() const;
};

// --passphrase-fd.
struct PassphraseOption {
  std::uint64_t descriptor = 0;
  std::string name;

  void AddTo(cli::Options& options, const std::string& option, const std::string& help);
  cli::PassphraseSource Source(const cli::Options& options) const;
};

// Where `mig key new` and `mig key import` write without --out: investigator.key in the user's
// folder, which is made. Error: kInvalid, kIo.
Expected<std::filesystem::path> NewKeyPlace(const std::string& out);

}  // namespace mig
