// The answers of one view of a content: as it lies on disk, or unpacked. Its bytes are read once,
// for all digests, contents and byte sequences that its searches ask for.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/digest.h"
#include "modules/file/answer.h"
#include "modules/file/content.h"
#include "modules/file/content_sink.h"
#include "modules/file/search.h"
#include "modules/file/sequence_scan.h"

namespace mig::file {

class FileView : public ContentSink {
 public:
  // `literals` are those of the run's searches (content.h), and must outlive this.
  explicit FileView(const LiteralSet& literals) : scan_(literals) {}

  // Decides the content and digest checks of `search`, which must outlive this.
  void Add(const Search& search);
  bool empty() const { return searches_.empty(); }
  // As when it was made; keeps its memory.
  void Clear();

  void Feed(BytesView bytes, bool last) override;
  bool decided() const override {
    return ruled_out_ || (digests_.empty() && scan_.decided() && sequences_.decided());
  }
  bool saw_long_line() const { return scan_.saw_long_line(); }
  // Bytes that went into digests, once for each.
  std::uint64_t hashed() const { return hashed_; }

  // The answers, after the last bytes or once decided. kUnknown: a line was too long to be sure.
  // Whether all content and digest checks of a matchall search say yes.
  Answer AnswerToAll(const Search& search) const;
  // For matchany: whether the check, `mismatch` included, says yes.
  Answer AnswerTo(const Check& check) const;
  // One that some search checks or returns, of a file that has been found.
  const Bytes& DigestOf(DigestKind kind) const;

 private:
  struct Running {
    DigestKind kind;
    Digest digest;
    Bytes value;
  };
  void Want(DigestKind kind);
  bool ContentsRuleOut(bool last) const;

  std::vector<const Search*> searches_;
  ContentScan scan_;
  SequenceScan sequences_;
  std::vector<Running> digests_;
  std::uint64_t hashed_ = 0;
  bool ruled_out_ = false;  // contents have said no to every search
};

}  // namespace mig::file
