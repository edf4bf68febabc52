// A disk under SQLite whose power can be cut. While a PowerDisk lives, the databases that are
// opened in its folder go through it: everything is carried out on real files, but what a real disk
// could lose is kept in mind, so that Cut() can lay down what would be found after a power cut at
// this moment: of what was not synced any subset, by sectors of 512 bytes, some of them torn; of
// names that were made or removed without a sync of their folder, the old or the new.
//
// Assumed, as SQLite does (https://www.sqlite.org/psow.html): a torn write leaves alone what lies
// beside it, and a sync that returned is true. A disk that lies about that can be had, too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>

namespace mig::store {

class PowerDisk {
 public:
  // Takes what stands in the folder for safely written. One at a time.
  explicit PowerDisk(std::filesystem::path folder);
  ~PowerDisk();  // all its databases are closed
  PowerDisk(const PowerDisk&) = delete;
  PowerDisk& operator=(const PowerDisk&) = delete;

  // Called before each write, truncation, sync and removal, on the thread that asks for it. Set it
  // before a database is opened.
  std::function<void()> before_change;
  // Syncs say that they are done, and are not.
  bool lies = false;
  // Writes that would make a file longer fail, as on a full disk.
  std::function<bool()> is_full;

  // Lays down in `folder`, which is made, what may be found after a power cut now. Any thread.
  void Cut(const std::filesystem::path& folder, std::mt19937& random) const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mig::store
