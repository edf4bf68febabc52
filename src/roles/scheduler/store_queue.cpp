#include "roles/scheduler/store_queue.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "util/crash_point.h"

namespace mig::scheduler {

void StoreQueue::Write(CrashPoints points, store::ServerDb::Work work, Then then) {
  const auto finish = [then = std::move(then)](const Expected<void>& outcome) {
    if (then) then(outcome);
  };
  auto queued = db_.Write(
      [points, work = std::move(work)](store::ServerTx& tx) {
        if (points.before != nullptr) CrashPoint(points.before);
        return work(tx);
      },
      [this, points, finish](Expected<void> outcome) {
        if (outcome && points.after != nullptr) CrashPoint(points.after);
        boost::asio::post(io_, [finish, outcome = std::move(outcome)] { finish(outcome); });
      });
  if (!queued) {
    boost::asio::post(io_, [finish, outcome = std::move(queued)] { finish(outcome); });
  }
}

void StoreQueue::Later(std::function<void()> then) { boost::asio::post(io_, std::move(then)); }

}  // namespace mig::scheduler
