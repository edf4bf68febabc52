#include "modules/file/evaluation.h"

namespace mig::file {

void Evaluation::Begin(Subject& subject, const Scopes& scopes, bool has_content) {
  subject_ = &subject;
  has_content_ = has_content;
  long_line_reported_ = false;
  candidates_.clear();
  raw_.Clear();
  unpacked_.Clear();
  for (const Scope& scope : scopes) {
    if (!scope.running->done()) Consider(scope);
  }
  for (const Candidate& candidate : candidates_) {
    const Search& search = candidate.search();
    if (search.needs_content() || !search.returned.empty()) {
      (search.decompress ? unpacked_ : raw_).Add(search);
    }
  }
}

void Evaluation::Consider(const Scope& scope) {
  const Search& search = scope.running->search();
  Candidate candidate{&scope, {}};
  bool alive = true;
  for (std::size_t i = 0; alive && i < search.cheap; ++i) {
    const Answer answer =
        subject_->AnswerTo(search.checks[i], subject_->NameFor(scope), facts_.now);
    const bool yes = answer == Answer::kYes;
    candidate.known = candidate.known && answer != Answer::kUnknown;
    if (search.matchall) {
      alive = yes;
    } else if (yes) {
      candidate.yes.push_back(&search.checks[i]);
    }
  }
  if (candidate.known) {
    tally_.LookedAt(scope.running->index());
  } else {
    tally_.Missed(scope.running->index());
  }
  if (alive && (search.matchall || search.needs_content() || !candidate.yes.empty())) {
    candidates_.push_back(std::move(candidate));
  }
}

bool Evaluation::Conclude(const Readable& readable) {
  for (Candidate& candidate : candidates_) {
    const bool inside = candidate.search().decompress;
    if (!Conclude(candidate, inside ? unpacked_ : raw_,
                  has_content_ && (inside ? readable.unpacked : readable.raw))) {
      return false;
    }
  }
  return true;
}

// It was counted as looked at too early.
void Evaluation::Missed(Candidate& candidate) {
  if (candidate.known) tally_.MissedAfterAll(candidate.scope->running->index());
  candidate.known = false;
}

// What could not be read is neither found nor not found: it stands among the skipped. So does what
// might stand across the pieces of a line that is too long.
bool Evaluation::ContentSaysYes(Candidate& candidate, const FileView& view, bool readable) {
  const Search& search = candidate.search();
  if (has_content_ && search.needs_content() && !readable) Missed(candidate);
  bool unknown = false;
  bool yes = true;
  if (search.matchall) {
    if (!search.needs_content()) return true;
    const Answer answer = readable ? view.AnswerToAll(search) : Answer::kNo;
    unknown = answer == Answer::kUnknown;
    yes = answer == Answer::kYes;
  } else {
    for (std::size_t i = search.cheap; readable && i < search.checks.size(); ++i) {
      const Answer answer = view.AnswerTo(search.checks[i]);
      if (answer == Answer::kYes) candidate.yes.push_back(&search.checks[i]);
      unknown = unknown || answer == Answer::kUnknown;
    }
    yes = !candidate.yes.empty();
  }
  if (unknown) {
    Missed(candidate);
    if (!long_line_reported_) tally_.Skipped("longline", subject_->Shown());
    long_line_reported_ = true;
  }
  return yes;
}

bool Evaluation::Conclude(Candidate& candidate, const FileView& view, bool readable) {
  const Search& search = candidate.search();
  if (!ContentSaysYes(candidate, view, readable)) return true;
  const os::FileStatus* status = subject_->Status();
  if (status == nullptr) {
    Missed(candidate);
    return true;
  }
  const std::string path = subject_->PathFor(*candidate.scope);
  Digests digests;
  if (readable) {
    for (const DigestKind kind : search.returned) digests.emplace_back(kind, view.DigestOf(kind));
  }
  const json::object extra = subject_->Extra(search, facts_.names);
  Running& running = *candidate.scope->running;
  if (search.matchall) return report_.Found(running, path, *status, nullptr, digests, extra);
  for (const Check* check : candidate.yes) {
    if (running.done()) break;
    if (!report_.Found(running, path, *status, check, digests, extra)) return false;
  }
  return true;
}

}  // namespace mig::file
