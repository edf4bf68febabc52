#include "os/startup.h"

#include <csignal>
#include <initializer_list>

#ifdef MIG_STATIC
// glibc's, declared in <nss.h> only with _GNU_SOURCE and the matching internals.
extern "C" int __nss_configure_lookup(const char* database, const char* service_line);
#endif

namespace mig {

void PrepareProcess() {
  std::signal(SIGPIPE, SIG_IGN);
#ifdef MIG_STATIC
  for (const char* database : {"passwd", "group", "shadow", "gshadow", "initgroups", "services",
                               "protocols", "networks", "netgroup", "aliases", "ethers", "rpc"}) {
    __nss_configure_lookup(database, "files");
  }
  __nss_configure_lookup("hosts", "files dns");
#endif
}

}  // namespace mig
