// Files that hold an action: signed, as `mig query -p` prints it; signed, with the ids of its
// audience beside it; or an action of Mozilla's MIG, to be signed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/mig_action.h"
#include "crypto/envelope.h"
#include "proto/action.h"
#include "util/expected.h"

namespace mig::cli {

struct ActionFile {
  // Either an envelope, which may have no valid signature yet, or an action of MIG.
  std::optional<Envelope> envelope;
  Bytes audience;  // ids beside the envelope, 32 bytes each; empty: none in the file
  std::optional<MigAction> mig;
};

// Errors name the file.
Expected<ActionFile> LoadActionFile(const std::string& file);

// What LoadActionFile reads back: the envelope, with its audience where it has one.
std::string ActionFileText(const Envelope& envelope, BytesView audience);

}  // namespace mig::cli
