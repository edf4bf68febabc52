// The two forms in which a module's answer leaves its process, both streams: frames for the agent,
// one JSON object for people and scripts. Both hold to the limits of rows and bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "modules/module.h"
#include "roles/module/stdout_stream.h"

namespace mig {

struct AnswerLimits {
  std::uint64_t rows = 0;   // elements
  std::uint64_t bytes = 0;  // of their JSON text
};

// Counts, and cuts off, what both forms have in common.
class AnswerWriter : public ElementSink {
 public:
  explicit AnswerWriter(const AnswerLimits& limits) : limits_(limits) {}

  bool Emit(std::string_view label, json::value element) final;

  // Ends the answer. `truncated` ("rows" or "bytes") and `leftout`, the number of elements that
  // were too large, go into the statistics. False when it could not be written.
  bool Finish(ModuleResult summary);

 protected:
  // `text` is the element's JSON. False: nobody reads.
  virtual bool WriteElement(std::string_view label, const std::string& text) = 0;
  virtual bool WriteSummary(const ModuleResult& summary) = 0;

 private:
  AnswerLimits limits_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t left_out_ = 0;
  std::string truncated_;
};

// Frames on stdout.
class FrameWriter : public AnswerWriter {
 public:
  FrameWriter(StdoutStream& out, const AnswerLimits& limits) : AnswerWriter(limits), out_(out) {}

 private:
  bool WriteElement(std::string_view label, const std::string& text) override;
  bool WriteSummary(const ModuleResult& summary) override;

  StdoutStream& out_;
};

// One JSON object and a newline on stdout. Elements of the first label are written as they come;
// those of other labels wait in memory for the end, because the object must group them.
class JsonWriter : public AnswerWriter {
 public:
  JsonWriter(StdoutStream& out, const AnswerLimits& limits) : AnswerWriter(limits), out_(out) {}

 private:
  struct Waiting {
    std::string label;
    std::string texts;  // joined by commas
  };

  bool WriteElement(std::string_view label, const std::string& text) override;
  bool WriteSummary(const ModuleResult& summary) override;

  StdoutStream& out_;
  bool started_ = false;
  std::string first_label_;
  std::vector<Waiting> waiting_;
};

}  // namespace mig
