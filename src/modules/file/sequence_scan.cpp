#include "modules/file/sequence_scan.h"

#include <algorithm>
#include <cassert>

#include "modules/file/byte_sequence.h"

namespace mig::file {

void SequenceScan::Add(const Search& search) {
  for (const Check& check : search.checks) {
    if (check.kind != CheckKind::kBytes) continue;
    checks_.push_back({&check});
    overlap_ = std::max(overlap_, check.sequence->longest() - 1);
    ++open_;
  }
}

void SequenceScan::Clear() {
  checks_.clear();
  open_ = overlap_ = last_asked_ = 0;
  tail_.clear();
}

void SequenceScan::Look(State& state, BytesView bytes) {
  if (state.found || !state.check->sequence->IsIn(bytes)) return;
  state.found = true;
  --open_;
}

void SequenceScan::Feed(BytesView bytes) {
  if (open_ == 0 || bytes.empty()) return;
  if (!tail_.empty()) {
    seam_.assign(tail_);
    seam_.append(bytes.substr(0, overlap_));
    for (State& state : checks_) Look(state, seam_);
  }
  for (State& state : checks_) Look(state, bytes);
  if (bytes.size() >= overlap_) {
    tail_.assign(bytes.substr(bytes.size() - overlap_));
  } else {
    tail_.append(bytes);
    tail_.erase(0, tail_.size() - std::min(tail_.size(), overlap_));
  }
}

bool SequenceScan::Found(const Check& check) const {
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    const State& state = checks_[last_asked_];
    if (state.check == &check) return state.found;
    last_asked_ = last_asked_ + 1 < checks_.size() ? last_asked_ + 1 : 0;
  }
  assert(false && "the check was not added");
  return false;
}

}  // namespace mig::file
