// Sixteen bytes at once, in whatever the processor has for that (GCC's and clang's vector types).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mig::file {

using Vector = unsigned char __attribute__((vector_size(16)));
inline constexpr std::size_t kLanes = sizeof(Vector);

inline Vector Load(const char* at) {
  Vector vector;
  std::memcpy(&vector, at, sizeof vector);
  return vector;
}

inline bool AnyBit(const Vector& vector) {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &vector, sizeof vector);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace mig::file
