#include "net/local_control.h"

#include <sys/stat.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "test/temp_folder.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using boost::asio::local::stream_protocol;

// Answers on a thread of its own.
class Answering {
 public:
  explicit Answering(const std::filesystem::path& socket, LocalControl::Answer answer)
      : work_(boost::asio::make_work_guard(io_)) {
    auto started = LocalControl::Start(io_, socket, std::move(answer));
    if (!started) FAIL(started.error().message());
    control_ = std::move(*started);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Answering() {
    boost::asio::post(io_, [this] { control_.reset(); });
    work_.reset();
    thread_.join();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<LocalControl> control_;
  std::thread thread_;
};

std::string Echo(std::string_view question) { return "you said " + std::string(question); }

TEST_CASE("local control: a question has an answer, however long it is", "[net]") {
  const TempFolder folder;
  const std::string long_answer(3 << 20, 'x');
  const Answering answering(folder / "control", [&](std::string_view question) {
    return question == "long" ? long_answer : Echo(question);
  });
  CHECK(AskLocalControl(folder / "control", "hello", 10s).value() == "you said hello");
  CHECK(AskLocalControl(folder / "control", "", 10s).value() == "you said ");
  CHECK(AskLocalControl(folder / "control", "long", 10s).value() == long_answer);
}

TEST_CASE("local control: only its user can open the socket, whatever the umask", "[net]") {
  const TempFolder folder;
  const mode_t before = ::umask(0);
  const Answering answering(folder / "control", Echo);
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat((folder / "control").c_str(), &status) == 0);
  CHECK(S_ISSOCK(status.st_mode));
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("local control: a folder's path may be longer than a socket's", "[net]") {
  const TempFolder folder;
  const auto deep = folder / std::string(120, 'd');
  std::filesystem::create_directory(deep);
  const Answering answering(deep / "control", Echo);
  CHECK(AskLocalControl(deep / "control", "a", 10s).value() == "you said a");
}

TEST_CASE("local control: what a killed process left behind is in nobody's way", "[net]") {
  const TempFolder folder;
  const auto socket = folder / "control";
  std::ofstream(socket) << "left behind";
  CHECK(AskLocalControl(socket, "a", 10s).error().code() == Errc::kUnavailable);
  {
    const Answering answering(socket, Echo);
    CHECK(AskLocalControl(socket, "a", 10s).value() == "you said a");
  }
  CHECK_FALSE(std::filesystem::exists(socket));
  CHECK(AskLocalControl(socket, "a", 10s).error().code() == Errc::kUnavailable);
  CHECK(AskLocalControl(folder / "none" / "x", "a", 10s).error().code() == Errc::kUnavailable);
}

TEST_CASE("local control: who asks too much, or nothing, keeps nobody else waiting", "[net]") {
  const TempFolder folder;
  const Answering answering(folder / "control", Echo);
  boost::asio::io_context io;
  const stream_protocol::endpoint endpoint((folder / "control").string());
  std::vector<stream_protocol::socket> silent;
  for (int i = 0; i < 10; ++i) silent.emplace_back(io).connect(endpoint);
  stream_protocol::socket endless(io);
  endless.connect(endpoint);
  const std::string much(kMaxControlQuestion + 1, 'x');
  boost::system::error_code error;
  boost::asio::write(endless, boost::asio::buffer(much), error);
  std::string answer;
  boost::asio::read(endless, boost::asio::dynamic_buffer(answer), error);  // until it is closed
  CHECK(answer.empty());
  CHECK(AskLocalControl(folder / "control", "a", 10s).value() == "you said a");
}

}  // namespace
}  // namespace mig
