// The actions that this person has looked at, kept in the user's state folder, so that one which
// comes back changed can be shown as what it is: another one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "proto/action.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::cli {

class ReviewedActions {
 public:
  // Records older than this, and beyond this number the oldest, go when a new one is written.
  static constexpr std::chrono::hours kKept{90 * 24};
  static constexpr std::size_t kMostKept = 500;

  // `folder`: UserStateFolder()/reviewed; made when it is needed.
  explicit ReviewedActions(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // `payload`: the exact bytes that were shown.
  Expected<void> Remember(const ActionId& id, BytesView payload, UtcTime now) const;

  struct Earlier {
    UtcTime seen;
    Bytes payload;
    bool same_id = false;  // an id has one content: somebody changed what must not change
  };
  // What was seen before and differs from `payload`, which holds `action`: under the same id, else
  // the latest of the same author with the same name, or the same url and another revision. Records
  // that cannot be read are passed over: they only help to compare.
  std::optional<Earlier> FindEarlier(const Action& action, BytesView payload) const;

 private:
  void ForgetOld() const;

  std::filesystem::path folder_;
};

// The two payloads line by line as JSON, fit for a terminal: "- …" before, "+ …" now.
std::string PayloadDiff(BytesView before, BytesView after);

}  // namespace mig::cli
