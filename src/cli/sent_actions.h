// What was shown before an action was sent: the agents it was to reach, with their keys. Kept in
// the user's state folder, so that answers read later, by `mig results`, are checked against the
// same set.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/result_check.h"
#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::cli {

class SentActions {
 public:
  // Records older than this are removed when a new one is written; agents forget ids sooner.
  static constexpr std::chrono::hours kKept{30 * 24};

  // `folder`: UserStateFolder()/sent; made when it is needed.
  explicit SentActions(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Expected<void> Remember(const ActionId& action, const std::vector<ShownAgent>& shown,
                          UtcTime now) const;
  // Nothing when the action was not sent from here. Error: kMalformed, kIo.
  Expected<std::optional<std::vector<ShownAgent>>> Recall(const ActionId& action) const;

 private:
  std::filesystem::path FileOf(const ActionId& action) const;
  void ForgetOld() const;

  std::filesystem::path folder_;
};

// In the user's state folder.
Expected<void> RememberSent(const ActionId& action, const std::vector<ShownAgent>& shown,
                            UtcTime now);

}  // namespace mig::cli
