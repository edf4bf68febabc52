// The Release executable as it is installed: one file that needs nothing else. Read from its ELF
// header (elf(5)), so that no tool has to be there.
#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "test/skip.h"

namespace {

constexpr std::uintmax_t kMaxBytes = 20'000'000;

const std::filesystem::path& Executable() {
  static const std::filesystem::path path = std::filesystem::path(MIG_BUILD_DIR) / "mig";
  return path;
}

const std::string& Image() {
  static const std::string image = [] {
    std::ifstream in(Executable(), std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  }();
  return image;
}

// The structure at `offset`, or a failed test where the file is too short.
template <typename T>
T At(std::size_t offset) {
  REQUIRE(offset + sizeof(T) <= Image().size());
  T out;
  std::memcpy(&out, Image().data() + offset, sizeof(T));
  return out;
}

Elf64_Ehdr Header() {
  const auto header = At<Elf64_Ehdr>(0);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  REQUIRE(header.e_ident[EI_CLASS] == ELFCLASS64);
  return header;
}

std::optional<Elf64_Phdr> Segment(Elf64_Word type) {
  const Elf64_Ehdr header = Header();
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = At<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == type) return segment;
  }
  return std::nullopt;
}

std::vector<Elf64_Dyn> DynamicEntries() {
  std::vector<Elf64_Dyn> entries;
  if (const auto dynamic = Segment(PT_DYNAMIC)) {
    for (std::size_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic->p_filesz; at += sizeof(Elf64_Dyn)) {
      entries.push_back(At<Elf64_Dyn>(dynamic->p_offset + at));
    }
  }
  return entries;
}

}  // namespace

#define ONLY_STATIC_RELEASE() \
  if (!MIG_IS_STATIC_RELEASE) MIG_SKIP("only the preset release builds the static executable")

TEST_CASE("executable: no interpreter and no library is loaded", "[packaging]") {
  ONLY_STATIC_RELEASE();
  CHECK_FALSE(Segment(PT_INTERP));
  for (const Elf64_Dyn& entry : DynamicEntries()) CHECK(entry.d_tag != DT_NEEDED);
}

TEST_CASE("executable: it can be placed at any address", "[packaging]") {
  ONLY_STATIC_RELEASE();
  CHECK(Header().e_type == ET_DYN);
}

TEST_CASE("executable: no memory is both writable and executable", "[packaging]") {
  ONLY_STATIC_RELEASE();
  const auto stack = Segment(PT_GNU_STACK);
  REQUIRE(stack);
  CHECK_FALSE((stack->p_flags & PF_X) != 0);
  CHECK(Segment(PT_GNU_RELRO));
  const Elf64_Ehdr header = Header();
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = At<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    CHECK_FALSE(((segment.p_flags & PF_W) != 0 && (segment.p_flags & PF_X) != 0));
  }
}

TEST_CASE("executable: it is stripped and under 20 MB", "[packaging]") {
  ONLY_STATIC_RELEASE();
  CHECK(std::filesystem::file_size(Executable()) < kMaxBytes);
  const Elf64_Ehdr header = Header();
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    CHECK(At<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)).sh_type != SHT_SYMTAB);
  }
}
