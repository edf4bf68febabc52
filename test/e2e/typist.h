// A program with a terminal of its own, and a person in front of it: what it shows, and what is
// typed. For what a pipe cannot try.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "test/e2e/process.h"

namespace mig::e2e {

class Typist {
 public:
  explicit Typist(const std::vector<std::string>& argv, const RunOptions& options = {});
  ~Typist();  // ends the program
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  // Reads the screen until `text` stands on it; false when the program ended or 60 s passed first.
  bool Sees(const std::string& text);
  void Types(const std::string& keys);
  // Reads to the program's end: its exit status, or 128 + signal; -1 when 60 s passed first.
  int Ends();
  // All that was shown, with what the terminal echoed.
  const std::string& screen() const { return screen_; }

 private:
  bool ReadSome();  // false at the end, or when nothing came for a minute

  pid_t pid_ = -1;
  int terminal_ = -1;
  bool reaped_ = false;
  std::string screen_;
};

}  // namespace mig::e2e
