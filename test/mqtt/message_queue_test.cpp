#include "mqtt/message_queue.h"

#include <catch2/catch.hpp>

namespace mig::mqtt {
namespace {

QueueEntry Entry(MessageQueue& queue, std::size_t bytes = 10) {
  auto message = std::make_shared<Message>();
  message->payload.assign(bytes, 'x');
  QueueEntry entry;
  entry.sequence = queue.NextSequence();
  entry.message = message;
  return entry;
}

QueueEntry Row(std::uint64_t sequence) {
  auto message = std::make_shared<Message>();
  message->payload.assign(10, 'x');
  QueueEntry entry;
  entry.sequence = sequence;
  entry.message = message;
  return entry;
}

TEST_CASE("message queue: entries leave in the order in which they came", "[mqtt]") {
  MessageQueue queue(1);
  for (int i = 0; i < 1000; ++i) queue.Push(Entry(queue), true);
  for (std::uint64_t i = 1; i <= 1000; ++i) CHECK(queue.Pop()->sequence == i);
  CHECK_FALSE(queue.Pop());
  CHECK(queue.messages() == 1000);  // popped is not done
  for (int i = 0; i < 1000; ++i) queue.Done(10);
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("message queue: an absent owner's messages are not in memory", "[mqtt]") {
  MessageQueue queue(1);
  queue.MakeDurable();
  for (int i = 0; i < 500; ++i) queue.Push(Entry(queue), false);
  CHECK(queue.Front() == nullptr);
  CHECK(queue.messages() == 500);
  CHECK(queue.NeedsPage());
  CHECK(queue.PageAfter() == 0);
}

TEST_CASE("message queue: pages follow each other, and what comes meanwhile waits its turn",
          "[mqtt]") {
  MessageQueue queue(1);
  queue.MakeDurable();
  for (int i = 0; i < 3; ++i) queue.Push(Entry(queue), false);
  queue.AskedForPage();
  CHECK_FALSE(queue.NeedsPage());
  queue.Push(Entry(queue), true);  // number 4, while the page is on its way
  CHECK(queue.Front() == nullptr);
  std::vector<QueueEntry> rows;
  for (std::uint64_t i = 1; i <= 2; ++i) rows.push_back(Row(i));
  REQUIRE(queue.Paged(0, std::move(rows)));
  CHECK(queue.Pop()->sequence == 1);
  CHECK(queue.NeedsPage());
  CHECK(queue.PageAfter() == 2);
  queue.AskedForPage();
  rows.clear();
  for (std::uint64_t i = 3; i <= 4; ++i) rows.push_back(Row(i));
  REQUIRE(queue.Paged(2, std::move(rows)));
  CHECK_FALSE(queue.NeedsPage());
  for (std::uint64_t i = 2; i <= 4; ++i) CHECK(queue.Pop()->sequence == i);
  queue.Push(Entry(queue), true);  // all is in memory again
  CHECK(queue.Pop()->sequence == 5);
}

TEST_CASE("message queue: an answer to an older question is ignored", "[mqtt]") {
  MessageQueue queue(1);
  queue.MakeDurable();
  queue.Push(Entry(queue), false);
  queue.AskedForPage();
  queue.ToDisk();  // the owner left
  std::vector<QueueEntry> rows;
  rows.push_back(Row(1));
  CHECK_FALSE(queue.Paged(0, std::move(rows)));
  CHECK(queue.NeedsPage());
}

TEST_CASE("message queue: the window of a durable queue is bounded", "[mqtt]") {
  MessageQueue queue(1);
  queue.MakeDurable();
  for (std::size_t i = 0; i < kWindowEntries + 10; ++i) queue.Push(Entry(queue), true);
  CHECK(queue.Window().size() == kWindowEntries);
  CHECK_FALSE(queue.NeedsPage());
  while (queue.Window().size() >= kPageBelow) REQUIRE(queue.Pop());
  CHECK(queue.NeedsPage());
  CHECK(queue.PageAfter() == kWindowEntries);
}

TEST_CASE("message queue: a returned entry takes its old place", "[mqtt]") {
  MessageQueue queue(1);
  for (int i = 0; i < 3; ++i) queue.Push(Entry(queue), true);
  auto first = queue.Pop();
  auto second = queue.Pop();
  queue.Return(std::move(*second));
  queue.Return(std::move(*first));
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(queue.Pop()->sequence == i);
}

TEST_CASE("message queue: a row that expired on disk counts no more", "[mqtt]") {
  MessageQueue queue(1);
  queue.Restore(2, 20, 7);
  CHECK(queue.NextSequence() == 8);
  REQUIRE(queue.OnlyOnDisk(6));
  queue.ExpiredOnDisk(10);
  queue.ExpiredOnDisk(10);
  CHECK(queue.messages() == 0);
  CHECK_FALSE(queue.NeedsPage());
}

}  // namespace
}  // namespace mig::mqtt
