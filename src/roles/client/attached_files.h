// The files that a command line names with @FILE: read, checked like what is typed, and brought to
// the server before the action that names them.
#pragma once

#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/terminal.h"
#include "modules/module.h"
#include "proto/action.h"
#include "util/expected.h"

namespace mig {

struct AttachedFile {
  Attachment attachment;
  Bytes content;
};

// Errors name the file: as os::ReadFile, kInvalid for an empty one or one that is too large.
Expected<std::vector<AttachedFile>> ReadAttachedFiles(const std::vector<NamedFile>& files);

std::vector<Attachment> AttachmentsOf(const std::vector<AttachedFile>& files);

// That the module takes what its lists hold together with the lines of the files: said here, before
// anything is signed, and not by every agent. Error: kInvalid, kFull.
Expected<void> CheckAttachedFiles(const Module& module, const json::object& parameters,
                                  const std::vector<AttachedFile>& files);

// Those that the server does not have yet.
Expected<void> BringAttachedFiles(cli::ApiClient& api, const std::vector<AttachedFile>& files,
                                  cli::Terminal& terminal);

}  // namespace mig
