// Where searches look: their paths, and the searches that are in scope at a place of the walk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "modules/file/report.h"
#include "os/file_walk.h"

namespace mig::file {

// A path of searches: where it is, and how they spelled it.
struct Root {
  std::string real;
  std::string given;
  std::vector<Running*> searches;
};

// A search on its way down one of its paths.
struct Scope {
  Running* running;
  int start;  // the walk's depth of the folder that is its path
  const Root* root;
};
using Scopes = std::vector<Scope>;

// Why a search does not look into a file system below its paths, as the statistics call it; empty:
// it does.
std::string_view ReasonToStay(const Search& search, const os::WalkMount& mount);

// The path of an entry as its search spells it: beneath the link, where a link was given as path.
std::string PathFor(const Scope& scope, const os::WalkEntry& entry);

// Its base name. A path that is given has the name that it was given, also when the walk comes by
// it elsewhere.
std::string_view NameFor(const Scope& scope, const os::WalkEntry& entry);

}  // namespace mig::file
