#include "modules/file/file_view.h"

#include <algorithm>
#include <cassert>

namespace mig::file {

void FileView::Want(DigestKind kind) {
  for (const Running& running : digests_) {
    if (running.kind == kind) return;
  }
  digests_.push_back({kind, Digest(kind), {}});
}

void FileView::Add(const Search& search) {
  searches_.push_back(&search);
  scan_.Add(search);
  sequences_.Add(search);
  for (const Check& check : search.checks) {
    if (check.kind == CheckKind::kDigest) Want(check.digest);
  }
  for (const DigestKind kind : search.returned) Want(kind);
}

void FileView::Clear() {
  searches_.clear();
  scan_.Clear();
  sequences_.Clear();
  digests_.clear();
  hashed_ = 0;
  ruled_out_ = false;
}

// True when no search can be satisfied any more, whatever the digests are.
bool FileView::ContentsRuleOut(bool last) const {
  if (scan_.empty() && sequences_.empty()) return false;
  for (const Search* search : searches_) {
    if (!search->matchall) return false;
    bool no = false;
    for (const Check& check : search->checks) {
      if (check.kind == CheckKind::kContent && (last || scan_.Decided(check))) {
        no = no || AnswerTo(check) == Answer::kNo;
      } else if (check.kind == CheckKind::kBytes && (last || sequences_.Found(check))) {
        no = no || !check.Wanted(sequences_.Found(check));
      }
    }
    if (!no) return false;
  }
  return true;
}

void FileView::Feed(BytesView bytes, bool last) {
  if (decided()) return;
  scan_.Feed(bytes);
  if (last) scan_.Finish();
  sequences_.Feed(bytes);
  // Contents first: a digest costs more than the search for a line, and most files are small enough
  // to be decided here, before it is begun.
  ruled_out_ = ContentsRuleOut(last);
  if (ruled_out_) return;
  for (Running& running : digests_) {
    running.digest.Update(bytes);
    hashed_ += bytes.size();
    if (last) running.value = running.digest.Finish();
  }
}

Answer FileView::AnswerTo(const Check& check) const {
  const auto answer = [](bool yes) { return yes ? Answer::kYes : Answer::kNo; };
  if (check.kind == CheckKind::kContent) {
    if (scan_.Uncertain(check)) return Answer::kUnknown;
    return answer(check.Wanted(scan_.Answer(check), true));
  }
  if (check.kind == CheckKind::kBytes) return answer(check.Wanted(sequences_.Found(check)));
  assert(check.kind == CheckKind::kDigest);
  return answer(check.Wanted(DigestOf(check.digest) == check.expected));
}

Answer FileView::AnswerToAll(const Search& search) const {
  if (ruled_out_) return Answer::kNo;
  Answer all = Answer::kYes;
  for (std::size_t i = search.cheap; i < search.checks.size(); ++i) {
    const Answer answer = AnswerTo(search.checks[i]);
    if (answer == Answer::kNo) return answer;
    if (answer == Answer::kUnknown) all = answer;
  }
  return all;
}

const Bytes& FileView::DigestOf(DigestKind kind) const {
  const auto found = std::find_if(digests_.begin(), digests_.end(),
                                  [&](const Running& running) { return running.kind == kind; });
  assert(found != digests_.end() && "the digest was not asked for");
  return found->value;
}

}  // namespace mig::file
