// The lines that differ between two texts, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mig {

struct DiffLine {
  char mark = ' ';  // '-' only before, '+' only after, ' ' in both, '.' lines in both left out
  std::string text;
};

// A shortest script of lines taken out and put in, with `context` unchanged lines around each
// change; empty when the texts have the same lines. Where the texts differ in too much to look for
// a shortest one, all of the differing middle is taken out and put in.
std::vector<DiffLine> DiffLines(std::string_view before, std::string_view after,
                                std::size_t context);

}  // namespace mig
