#include "os/walk_batches.h"

#include <catch2/catch.hpp>
#include <thread>

using namespace mig::os;

namespace {

FolderPtr Folder(const std::string& name, FolderPtr parent = nullptr) {
  auto folder = std::make_shared<EnteredFolder>();
  folder->name = name;
  folder->parent = std::move(parent);
  return folder;
}

Batch BatchOf(const FolderPtr& folder, const std::vector<std::string>& names) {
  Batch batch{folder, std::make_shared<const FileDescriptor>(), {}};
  for (const std::string& name : names) AddItem(batch.items, ItemType::kFolder, name);
  return batch;
}

std::vector<std::string> TakeAll(WalkBatches& batches, std::size_t worker) {
  std::vector<std::string> names;
  Item item;
  while (batches.TakeOwn(worker, item)) names.push_back(item.folder->name + item.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("walk batches: the own newest first, in their order", "[os]") {
  WalkBatches batches(1, 8);
  batches.Push(0, BatchOf(Folder("a/"), {"1", "2"}));
  batches.Push(0, BatchOf(Folder("b/"), {"3", "4"}));
  batches.Push(0, BatchOf(Folder("c/"), {}));
  CHECK(TakeAll(batches, 0) == Names{"b/3", "b/4", "a/1", "a/2"});
  CHECK_FALSE(batches.Steal(0));
}

TEST_CASE("walk batches: half of another's oldest is stolen, and a single one wholly", "[os]") {
  WalkBatches batches(2, 8);
  batches.Join();
  batches.Join();
  batches.Push(0, BatchOf(Folder("a/"), {"1", "2", "3", "4", "5"}));
  batches.Push(0, BatchOf(Folder("b/"), {"6"}));
  REQUIRE(batches.Steal(1));
  CHECK(TakeAll(batches, 1) == Names{"a/4", "a/5"});
  REQUIRE(batches.Steal(1));
  CHECK(TakeAll(batches, 1) == Names{"a/3"});
  REQUIRE(batches.Steal(1));
  CHECK(TakeAll(batches, 1) == Names{"a/2"});
  REQUIRE(batches.Steal(1));
  CHECK(TakeAll(batches, 1) == Names{"a/1"});
  CHECK(TakeAll(batches, 0) == Names{"b/6"});
}

TEST_CASE("walk batches: only the newest keep their folders open", "[os]") {
  WalkBatches batches(1, 2);
  for (const char* name : {"a", "b", "c", "d"}) batches.Push(0, BatchOf(Folder(name), {"x"}));
  Item item;
  Names open;
  while (batches.TakeOwn(0, item)) {
    if (item.handle != nullptr) open.push_back(item.folder->name);
  }
  CHECK(open == Names{"d", "c"});
}

TEST_CASE("walk batches: shared files are taken back while no one wants them", "[os]") {
  WalkBatches batches(2, 8);
  const FolderPtr upper = Folder("u/");
  const FolderPtr here = Folder("h/", upper);
  batches.Push(0, BatchOf(upper, {"1"}));
  batches.Push(0, BatchOf(here, {"2", "3"}));
  Item item;
  CHECK(batches.TakeShared(0, here, item));
  CHECK(batches.TakeShared(0, here, item));
  CHECK_FALSE(batches.TakeShared(0, here, item));
}

TEST_CASE("walk batches: who waits gets what comes, and all end together", "[os]") {
  WalkBatches batches(2, 8);
  batches.Join();
  batches.Join();
  Names stolen;
  std::atomic<bool> taken{false};
  std::thread other([&] {
    while (batches.Steal(1)) {
      for (std::string& name : TakeAll(batches, 1)) stolen.push_back(std::move(name));
      taken = true;
    }
  });
  while (!batches.SomebodyWaits()) std::this_thread::yield();
  batches.Push(0, BatchOf(Folder("a/"), {"1"}));
  while (!taken) std::this_thread::yield();
  CHECK_FALSE(batches.Steal(0));
  other.join();
  CHECK(stolen == Names{"a/1"});
}

TEST_CASE("walk batches: a chain of a million folders is freed without recursion", "[os]") {
  FolderPtr deepest;
  for (int i = 0; i < 1'000'000; ++i) deepest = Folder("n", std::move(deepest));
  deepest.reset();
  SUCCEED("the stack held");
}
