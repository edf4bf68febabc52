#include "modules/file/capability.h"

#include <array>
#include <string_view>

namespace mig::file {
namespace {

// By number (linux/capability.h, 0 to 40). Newer ones go by their number: "cap_41".
constexpr std::array<std::string_view, 41> kNames = {"chown",
                                                     "dac_override",
                                                     "dac_read_search",
                                                     "fowner",
                                                     "fsetid",
                                                     "kill",
                                                     "setgid",
                                                     "setuid",
                                                     "setpcap",
                                                     "linux_immutable",
                                                     "net_bind_service",
                                                     "net_broadcast",
                                                     "net_admin",
                                                     "net_raw",
                                                     "ipc_lock",
                                                     "ipc_owner",
                                                     "sys_module",
                                                     "sys_rawio",
                                                     "sys_chroot",
                                                     "sys_ptrace",
                                                     "sys_pacct",
                                                     "sys_admin",
                                                     "sys_boot",
                                                     "sys_nice",
                                                     "sys_resource",
                                                     "sys_time",
                                                     "sys_tty_config",
                                                     "mknod",
                                                     "lease",
                                                     "audit_write",
                                                     "audit_control",
                                                     "setfcap",
                                                     "mac_override",
                                                     "mac_admin",
                                                     "syslog",
                                                     "wake_alarm",
                                                     "block_suspend",
                                                     "audit_read",
                                                     "perfmon",
                                                     "bpf",
                                                     "checkpoint_restore"};

constexpr std::uint32_t kRevisionMask = 0xFF000000;
constexpr std::uint32_t kEffective = 1;

// Little endian on every machine.
std::uint32_t WordAt(BytesView bytes, std::size_t index) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) {
    word = word << 8 | static_cast<unsigned char>(bytes[index * 4 + i]);
  }
  return word;
}

}  // namespace

std::vector<std::string> FileCapabilities::Texts() const {
  std::vector<std::string> texts;
  for (unsigned number = 0; number < 64; ++number) {
    const bool may = (permitted >> number & 1) != 0;
    const bool passes_on = (inheritable >> number & 1) != 0;
    if (!may && !passes_on) continue;
    std::string text = "cap_";
    text += number < kNames.size() ? std::string(kNames[number]) : std::to_string(number);
    text += '=';
    if (effective) text += 'e';
    if (passes_on) text += 'i';
    if (may) text += 'p';
    texts.push_back(std::move(text));
  }
  return texts;
}

Expected<FileCapabilities> DecodeFileCapabilities(BytesView bytes) {
  const Error bad(Errc::kMalformed, "security.capability: " + std::to_string(bytes.size()) +
                                        " bytes that are no capabilities");
  if (bytes.size() < 4) return bad;
  const std::uint32_t head = WordAt(bytes, 0);
  const std::uint32_t revision = head >> 24;
  constexpr std::size_t kSizes[] = {0, 12, 20, 24};
  if (revision < 1 || revision > 3 || bytes.size() != kSizes[revision]) return bad;
  if ((head & ~kRevisionMask & ~kEffective) != 0) return bad;
  FileCapabilities found;
  found.effective = (head & kEffective) != 0;
  found.permitted = WordAt(bytes, 1);
  found.inheritable = WordAt(bytes, 2);
  if (revision >= 2) {
    found.permitted |= std::uint64_t{WordAt(bytes, 3)} << 32;
    found.inheritable |= std::uint64_t{WordAt(bytes, 4)} << 32;
  }
  if (revision == 3) found.root = WordAt(bytes, 5);
  return found;
}

}  // namespace mig::file
