// The verbs below `mig lab`: each reads the words after its own and gives an exit status.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "roles/lab/lab_files.h"
#include "util/expected.h"

namespace mig::lab {

using Words = std::span<const std::string>;

cli::ExitStatus RunUp(Words words, cli::Terminal& terminal);
cli::ExitStatus RunStatus(Words words, cli::Terminal& terminal);
cli::ExitStatus RunLogs(Words words, cli::Terminal& terminal);
cli::ExitStatus RunDown(Words words, cli::Terminal& terminal);
// `what`: "stop" or "start".
cli::ExitStatus RunOne(const std::string& what, Words words, cli::Terminal& terminal);
cli::ExitStatus RunSupervise(Words words, cli::Terminal& terminal);

// -dir, which all of them have.
void AddDir(cli::Options& options, std::string* dir);
// The lab's folder: -dir, MIG_LAB_DIR, or the default. Error: kInvalid.
Expected<LabFiles> FilesFor(const std::string& dir);
// " --dir DIR" as the words to repeat it, or nothing for the default.
std::string DirWords(const LabFiles& files);

}  // namespace mig::lab
