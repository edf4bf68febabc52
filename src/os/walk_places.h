// Roots and mount points by components of their paths, so that a walk knows them when it comes by.
// For os/file_walk alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/mounts.h"

namespace mig::os {

struct PlaceNode {
  std::map<std::string, std::unique_ptr<PlaceNode>, std::less<>> children;
  std::vector<std::size_t> roots;
  MountKind mount = MountKind::kOrdinary;
  std::string_view mount_type;  // of the list of mounts, which outlives the walk
  bool is_mount = false;
  // The walk was there. Only the thread that walks this very path writes it, and it is read between
  // the rounds of the walk.
  bool entered = false;

  PlaceNode* Child(std::string_view name) const {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : found->second.get();
  }
};

class Places {
 public:
  PlaceNode& At(std::string_view path) {
    PlaceNode* node = &top_;
    ForEachComponent(path, [&](std::string_view name) {
      auto& child = node->children[std::string(name)];
      if (child == nullptr) child = std::make_unique<PlaceNode>();
      node = child.get();
    });
    return *node;
  }

  // How many folders above this path are roots.
  std::size_t RootsAbove(std::string_view path) const {
    const PlaceNode* node = &top_;
    std::size_t count = 0;
    ForEachComponent(path, [&](std::string_view name) {
      if (node != nullptr && !node->roots.empty()) ++count;
      if (node != nullptr) node = node->Child(name);
    });
    return count;
  }

 private:
  template <typename Take>
  static void ForEachComponent(std::string_view path, const Take& take) {
    for (;;) {
      const std::size_t start = path.find_first_not_of('/');
      if (start == std::string_view::npos) return;
      path.remove_prefix(start);
      const std::size_t end = std::min(path.find('/'), path.size());
      take(path.substr(0, end));
      path.remove_prefix(end);
    }
  }

  PlaceNode top_;
};

}  // namespace mig::os
