// The rim: asks this Linux. Nothing here goes through NSS, which a static executable cannot load.
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "os/environment.h"
#include "os/files.h"
#include "os/platform.h"

namespace mig::os {
namespace {

constexpr std::size_t kMaxTextBytes = 1u << 20;

std::string TextOf(const char* file) {
  auto text = ReadFile(file, kMaxTextBytes);
  return text ? std::move(*text) : std::string();
}

std::string LinkTarget(const char* link) {
  std::array<char, 4096> target{};
  const ssize_t length = ::readlink(link, target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : "";
}

// The bytes of an address or netmask. A netmask's family may be unset: the address decides.
BytesView AddressBytes(const sockaddr* address, int family) {
  if (address == nullptr) return {};
  if (family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&v4->sin_addr), 4};
  }
  if (family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return {reinterpret_cast<const char*>(&v6->sin6_addr), 16};
  }
  return {};
}

}  // namespace

std::string HostName() {
  utsname names{};
  if (::uname(&names) != 0) return "localhost";
  return FullyQualifiedName(names.nodename, TextOf("/etc/hosts"));
}

std::vector<std::string> HostAddresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::vector<std::string> addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const int family = entry->ifa_addr->sa_family;
    std::string text =
        FormatCidr(AddressBytes(entry->ifa_addr, family), AddressBytes(entry->ifa_netmask, family));
    if (!text.empty()) addresses.push_back(std::move(text));
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

std::string RunningSystem() {
  const std::string boot = TextOf("/proc/sys/kernel/random/boot_id");
  const std::string processes = LinkTarget("/proc/self/ns/pid");
  if (boot.empty() || processes.empty()) return {};
  return TextOf("/etc/machine-id") + "\n" + boot + "\n" + processes;
}

Environment DiscoverEnvironment() {
  Environment environment;
  environment.hostname = HostName();
  environment.os = PlatformName(CurrentPlatform());
  environment.arch = CurrentArchitecture();
  std::string release = TextOf("/etc/os-release");
  if (release.empty()) release = TextOf("/usr/lib/os-release");
  environment.ident = IdentFromOsRelease(release);
  environment.init = InitFlavour(TextOf("/proc/1/cmdline"), LinkTarget("/sbin/init"));
  utsname names{};
  if (::uname(&names) == 0) environment.kernel = names.release;
  environment.addresses = HostAddresses();
  return environment;
}

}  // namespace mig::os
