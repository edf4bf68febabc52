// Makes folders full of what a file search may meet: names of any bytes, contents with every kind
// of line end, holes, links, loops, fifos, sockets, devices, gzip, paths longer than PATH_MAX.
#pragma once

#include <string>
#include <vector>

#include "test/modules/file/random_source.h"
#include "test/temp_folder.h"
#include "util/clock.h"

namespace mig::file {

struct TreeWishes {
  UtcTime now;              // ages are about this
  bool exact_ages = true;   // also such as stand on an edge of the searches' ages, to a nanosecond
  bool closed = false;      // files and folders that others than their owner may not read
  bool huge = false;        // a file of a TiB without a byte on disk
  std::size_t things = 50;  // about so many files, folders and links
};

class MadeTree {
 public:
  MadeTree(RandomSource& random, const TreeWishes& wishes);
  ~MadeTree();

  std::string path() const { return folder_.path().string(); }
  bool huge() const { return huge_; }
  // Absolute paths, short enough to be given to a search; of everything there is.
  const std::vector<std::string>& folders() const { return folders_; }
  const std::vector<std::string>& others() const { return others_; }
  // Of some files, packed ones also unpacked: so that digests can be asked for that exist.
  const std::vector<std::string>& contents() const { return contents_; }

 private:
  void MakeThing(RandomSource& random, const TreeWishes& wishes);
  void MakeFile(RandomSource& random, const TreeWishes& wishes, const std::string& path);
  bool MakeHardLink(RandomSource& random, const std::string& path);
  void MakeLink(RandomSource& random, const std::string& path);
  void MakeSpecial(RandomSource& random, const std::string& path);
  void MakeDeep(RandomSource& random);

  TempFolder folder_;
  std::vector<std::string> folders_;
  std::vector<std::string> others_;
  std::vector<std::string> contents_;
  bool huge_ = false;
};

}  // namespace mig::file
