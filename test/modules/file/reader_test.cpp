#include "modules/file/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

#include "test/modules/file/archive_maker.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::file;

namespace {

// Does something to the file that is being read when the first member comes.
class Meanwhile : public MemberLog {
 public:
  explicit Meanwhile(std::function<void()> act) : act_(std::move(act)) {}
  Want Begin(const Member& member) override {
    if (members.empty()) act_();
    return MemberLog::Begin(member);
  }

 private:
  std::function<void()> act_;
};

}  // namespace

TEST_CASE("file reader: a file that is changed while it is read is known to be", "[modules]") {
  const TempFolder folder;
  const std::string path = (folder / "a.tar").string();
  const auto changed = [&](std::size_t size, const std::function<void()>& act) {
    folder.Write("a.tar",
                 TarFile("first", "x") + TarFile("rest", std::string(size, 'r')) + EndMark());
    const auto file = os::OpenRegularFile(AT_FDCWD, path.c_str(), false);
    REQUIRE(file);
    Meanwhile visitor(act);
    ArchiveScan scan(&visitor);
    FileReader reader;
    const auto outcome = reader.Read(*file, nullptr, nullptr, &scan);
    REQUIRE(outcome);
    return outcome->changed;
  };
  const std::size_t large = 900'000;
  CHECK_FALSE(changed(large, [] {}));
  CHECK(changed(large, [&] { std::ofstream(path, std::ios::app) << "more"; }));
  CHECK(changed(large, [&] { REQUIRE(::truncate(path.c_str(), 300'000) == 0); }));
  // As often as it takes a coarse clock to move on.
  CHECK(changed(large, [&] {
    struct stat before {
    }, now{};
    REQUIRE(::stat(path.c_str(), &before) == 0);
    do {
      std::fstream(path, std::ios::in | std::ios::out).seekp(100'000) << "written over";
      REQUIRE(::stat(path.c_str(), &now) == 0);
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
  }));
  CHECK_FALSE(changed(1'000, [] {}));
}
