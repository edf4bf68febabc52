#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>

#include "os/idle_pages.h"

namespace mig::os {
namespace {

// Only segments that are never written: what relocation has changed (RELRO lies in a writable
// segment) exists in memory alone and would be lost. Nor an object whose very code was relocated.
int ReleaseReadOnlySegments(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::span<const ElfW(Phdr)> segments(object->dlpi_phdr, object->dlpi_phnum);
  for (const auto& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + segment.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return 0;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return 0;
    }
  }
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t from = begin / page * page;
    const std::uintptr_t to = (begin + segment.p_filesz) / page * page;
    // Fails for locked memory, which somebody wanted to stay.
    if (to > from) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void ReleaseIdlePages() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(&ReleaseReadOnlySegments, nullptr);
}

}  // namespace mig::os
