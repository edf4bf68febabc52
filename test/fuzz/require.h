// What a fuzz target claims beyond "does not crash": a fact that must hold for every input.
#pragma once

#include <cstdlib>
#include <iostream>

namespace mig::fuzz {

// Ends the process when `holds` is false, which libFuzzer and the replay both take as a find.
inline void Require(bool holds, const char* fact) {
  if (holds) return;
  std::cerr << "false: " << fact << std::endl;
  std::abort();
}

}  // namespace mig::fuzz
