// One subject against the searches in whose scope it is: first all that needs no content, then, for
// those still in the running, one pass over the content, then what was found.
#pragma once

#include <vector>

#include "modules/file/reader.h"
#include "modules/file/report.h"
#include "modules/file/subject.h"
#include "modules/file/tally.h"

namespace mig::file {

// Which views of a content may be believed: one search's broken gzip is plain bytes to another.
struct Readable {
  bool raw = true;
  bool unpacked = true;
  bool archive = true;  // its members, if it has any, have all been seen
};

// What all workers of a run know from its beginning.
struct RunFacts {
  const Names& names;
  const LiteralSet& literals;  // of its searches
  UtcTime now;
};

// Serves one subject after the other, and keeps its memory.
class Evaluation {
 public:
  // All must outlive this.
  Evaluation(const RunFacts& facts, Report& report, Tally& tally)
      : facts_(facts),
        report_(report),
        tally_(tally),
        raw_(facts.literals),
        unpacked_(facts.literals) {}

  // A new subject; it and the scopes must live until Conclude. `has_content`: it is a regular file.
  // What has none satisfies no check of content.
  void Begin(Subject& subject, const Scopes& scopes, bool has_content);
  // No search can find it any more.
  bool over() const { return candidates_.empty(); }

  // What the content is to be fed to; empty when nobody wants it.
  FileView& raw() { return raw_; }
  FileView& unpacked() { return unpacked_; }
  bool wants_content() const { return has_content_ && !(raw_.empty() && unpacked_.empty()); }

  // Reports what was found, or not seen. False when the run ends.
  bool Conclude(const Readable& readable);

 private:
  // A search for which the subject is still in the running.
  struct Candidate {
    const Scope* scope;
    std::vector<const Check*> yes;  // matchany: the checks that said yes
    bool known = true;              // it was counted as looked at

    const Search& search() const { return scope->running->search(); }
  };
  void Consider(const Scope& scope);
  void Missed(Candidate& candidate);
  bool Conclude(Candidate& candidate, const FileView& view, bool readable);
  bool ContentSaysYes(Candidate& candidate, const FileView& view, bool readable);

  const RunFacts& facts_;
  Report& report_;
  Tally& tally_;

  Subject* subject_ = nullptr;
  bool has_content_ = false;
  std::vector<Candidate> candidates_;
  FileView raw_, unpacked_;
  bool long_line_reported_ = false;
};

}  // namespace mig::file
