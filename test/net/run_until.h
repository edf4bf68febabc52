// Runs an io_context until something is true, or the deadline shows that it never will be.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

namespace mig {

template <typename Predicate>
bool RunUntil(boost::asio::io_context& io, Predicate predicate,
              std::chrono::steady_clock::duration patience = std::chrono::seconds(20)) {
  const auto work = boost::asio::make_work_guard(io);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  if (io.stopped()) io.restart();
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.run_one_until(deadline);
  }
  return true;
}

}  // namespace mig
