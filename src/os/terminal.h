// What the system knows about the terminal behind a descriptor, and secrets typed on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

bool IsTerminal(int fd);

// "/dev/pts/3": of the first of our three streams that is a terminal; empty without one.
std::string TerminalName();

// 0 when `fd` is no terminal, or does not say.
std::size_t TerminalColumns(int fd);

// Drops what was typed and not yet read. Does nothing where `fd` is no terminal.
void ForgetTyped(int fd);

// Longer secrets are refused (kInvalid), not cut.
inline constexpr std::size_t kMaxSecretBytes = 1024;

// Shows `prompt` on the controlling terminal, whatever stdin and stdout are, and reads a line
// without echo. Backspace and Ctrl-U edit. Error: kUnavailable without a terminal; kDenied for
// Ctrl-C or Ctrl-D. The terminal is as before in every case. Waits for the person, without a
// deadline.
Expected<Bytes> ReadSecretFromTerminal(std::string_view prompt);

// The first line of an inherited descriptor, without its newline: `--passphrase-fd 3 3<file`.
// Error: kIo, kInvalid.
Expected<Bytes> ReadSecretFromDescriptor(int fd);

}  // namespace mig::os
