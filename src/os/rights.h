// What a module's child process may do beyond computing: declared by each module, compiled in, and
// enforced by os/sandbox.h. Without any of these it can read its stdin and write its stdout.
#pragma once

#include <string>

namespace mig::os {

enum class Right : unsigned {
  kReadFiles = 1u << 0,      // open and list files for reading, whoever owns them
  kReadProcesses = 1u << 1,  // read other processes' memory and state (implies /proc)
  kNetwork = 1u << 2,        // internet sockets, raw ICMP, and the kernel's address tables
  kEndProcesses = 1u << 3,   // signals to other processes, through their handles
  kReadSockets = 1u << 4,    // the kernel's tables of sockets, neighbours and addresses
};

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(static_cast<unsigned>(right)) {}  // NOLINT: implicit

  constexpr bool Has(Right right) const { return (bits_ & static_cast<unsigned>(right)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Rights operator|(Rights other) const { return Rights(bits_ | other.bits_); }
  constexpr bool operator==(const Rights&) const = default;

 private:
  constexpr explicit Rights(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};

constexpr Rights operator|(Right a, Right b) { return Rights(a) | Rights(b); }

// "read files, network", or "none".
std::string Describe(Rights rights);

}  // namespace mig::os
