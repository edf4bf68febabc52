// Runs a fuzz target once over every file of a corpus folder, so that each input that ever broke a
// decoder is tried again by every compiler and sanitizer, without libFuzzer.
//   fuzz_NAME FOLDER | FILE
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> FilesUnder(const std::filesystem::path& start) {
  std::error_code error;
  if (std::filesystem::is_regular_file(start, error)) return {start};
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(start, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_regular_file(error)) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " FOLDER | FILE\n";
    return 2;
  }
  const std::vector<std::filesystem::path> files = FilesUnder(argv[1]);
  if (files.empty()) {
    std::cerr << argv[1] << ": the corpus is missing or empty: add a few small seeds\n";
    return 1;
  }
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.is_open() || in.bad()) {
      std::cerr << file.string() << ": cannot be read\n";
      return 1;
    }
    // Flushed before the call: if it crashes, this line names the input.
    std::cout << file.filename().string() << " (" << input.size() << " bytes)" << std::endl;
    // A copy of exactly this size, without a terminator: AddressSanitizer sees the first byte past.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::cout << files.size() << " inputs replayed\n";
  return EXIT_SUCCESS;
}
