#include "roles/lab/log_file.h"

namespace mig::lab {
namespace {
constexpr std::uintmax_t kMaxLogBytes = std::uintmax_t{16} << 20;
}  // namespace

Expected<os::FileDescriptor> OpenLog(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::file_size(file, error) > kMaxLogBytes && !error) {
    std::filesystem::path old = file;
    old += ".1";
    std::filesystem::rename(file, old, error);  // if it fails, the file grows on: it is a log
  }
  return os::OpenForAppending(file, 0600);
}

}  // namespace mig::lab
