// What has to be done from time to time whoever speaks: agents' status by the age of their last
// word, statistics, what was not taken, and forgetting what lapsed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

#include "roles/scheduler/announcer.h"
#include "roles/scheduler/store_queue.h"
#include "roles/scheduler/tally.h"
#include "util/clock.h"

namespace mig::scheduler {

class Caretaker {
 public:
  struct Options {
    std::chrono::milliseconds idle_after, offline_after;
    std::chrono::milliseconds round{15'000};
    int rounds_between_statistics = 40;  // ten minutes
    std::function<UtcTime()> now = Now;
  };

  // All outlive this.
  Caretaker(boost::asio::io_context& io, StoreQueue& store, Announcer& announcer, Tally& tally,
            Options options)
      : timer_(io),
        store_(store),
        announcer_(announcer),
        tally_(tally),
        options_(std::move(options)) {}

  // The first round at once, then one after the other.
  void Start();

 private:
  void RefreshStatus();
  void KeepStatistics();
  void KeepTally();

  boost::asio::steady_timer timer_;
  StoreQueue& store_;
  Announcer& announcer_;
  Tally& tally_;
  const Options options_;
  int rounds_ = 0;
};

}  // namespace mig::scheduler
