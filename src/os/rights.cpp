#include "os/rights.h"

#include "util/text.h"

namespace mig::os {

std::string Describe(Rights rights) {
  struct Row {
    Right right;
    const char* name;
  };
  static constexpr Row kNames[] = {{Right::kReadFiles, "read files"},
                                   {Right::kReadProcesses, "read other processes"},
                                   {Right::kNetwork, "network"},
                                   {Right::kEndProcesses, "end other processes"},
                                   {Right::kReadSockets, "read tables of sockets"}};
  std::vector<std::string> names;
  for (const Row& row : kNames) {
    if (rights.Has(row.right)) names.emplace_back(row.name);
  }
  return names.empty() ? "none" : Join(names, ", ");
}

}  // namespace mig::os
