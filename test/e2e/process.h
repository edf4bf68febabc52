// Runs a program to its end under a deadline and keeps what it wrote. For end-to-end tests, which
// know the product only from outside.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mig::e2e {

struct RunOptions {
  std::map<std::string, std::string> environment;  // added to ours
  std::string input;                               // on stdin
  std::chrono::seconds deadline{60};
};

struct Outcome {
  int status = -1;         // exit status, or 128 + signal
  bool timed_out = false;  // the deadline passed and the process group was killed
  long peak_kib = 0;       // the most memory it had resident
  std::string out;
  std::string err;
};

Outcome Run(const std::vector<std::string>& argv, const RunOptions& options = {});

// A program that goes on beside the test. Killed with its group when the object goes.
class Background {
 public:
  Background(const std::vector<std::string>& argv, const RunOptions& options = {});
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  int pid() const { return pid_; }
  void Signal(int signal) const;
  // Waits until `text` was written to stdout or stderr; false when the deadline or the end of the
  // program came first.
  bool WaitForOutput(const std::string& text, std::chrono::seconds deadline);
  // What it wrote to stderr, as far as it was read by waiting.
  const std::string& err() const { return outcome_.err; }
  // Waits for the end; nothing when the deadline came first.
  std::optional<Outcome> Wait(std::chrono::seconds deadline);

 private:
  bool Pump(int timeout_ms);  // false at end of both streams
  int pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  Outcome outcome_;
  bool reaped_ = false;
};

}  // namespace mig::e2e
