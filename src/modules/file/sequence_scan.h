// The checks for byte sequences of one file, fed with its bytes as they are read: whatever a
// sequence lies across, it is seen.
#pragma once

#include <cstddef>
#include <vector>

#include "modules/file/search.h"
#include "util/bytes.h"

namespace mig::file {

class SequenceScan {
 public:
  // Decides the byte checks of `search`, which must outlive this.
  void Add(const Search& search);
  bool empty() const { return checks_.empty(); }
  // As when it was made; keeps its memory.
  void Clear();

  // The next bytes of the file.
  void Feed(BytesView bytes);
  // All have been found: nothing that follows can change an answer.
  bool decided() const { return open_ == 0; }
  // Whether its sequence stands in what was fed.
  bool Found(const Check& check) const;

 private:
  struct State {
    const Check* check;
    bool found = false;
  };
  void Look(State& state, BytesView bytes);

  std::vector<State> checks_;
  // Where Found begins to look: they are asked for in the order in which they were added.
  mutable std::size_t last_asked_ = 0;
  std::size_t open_ = 0;
  std::size_t overlap_ = 0;  // the longest sequence, less one byte
  Bytes tail_;               // the last bytes that were fed, at most overlap_
  Bytes seam_;               // the tail and what follows it
};

}  // namespace mig::file
