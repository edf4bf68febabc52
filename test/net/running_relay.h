// A relay's server on a thread of its own, with a database in a folder, for tests that talk to it
// over TCP.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "mqtt/authoriser.h"
#include "net/mqtt_server.h"
#include "store/relay_db.h"

namespace mig {

class RunningRelay {
 public:
  RunningRelay(const std::filesystem::path& store, MqttServerOptions options = {},
               const mqtt::Authoriser* authoriser = nullptr)
      : work_(boost::asio::make_work_guard(io_)) {
    std::signal(SIGPIPE, SIG_IGN);
    if (options.listen.empty()) options.listen = "127.0.0.1:0";
    auto db = store::RelayDb::Open({store});
    if (!db) FAIL(db.error().message());
    mqtt::Snapshot snapshot = (*db)->TakeSnapshot();
    auto server = MqttServer::Start(io_, std::move(options), std::move(*db), std::move(snapshot),
                                    authoriser == nullptr ? all_ : *authoriser);
    if (!server) FAIL(server.error().message());
    server_ = std::move(*server);
    port_ = server_->port();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RunningRelay() {
    boost::asio::post(io_, [this] { server_.reset(); });
    work_.reset();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }

  // Runs `task` on the server's thread and waits for its value.
  template <typename Task>
  auto Do(Task task) {
    // Shared: set_value may still be at work when the future has its value already.
    auto promise = std::make_shared<std::promise<decltype(task(*server_))>>();
    auto future = promise->get_future();
    boost::asio::post(io_, [this, promise, &task] { promise->set_value(task(*server_)); });
    REQUIRE(future.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    return future.get();
  }

  // Stops in order; true if it said so in time.
  bool Stop() {
    auto stopped = std::make_shared<std::promise<void>>();
    auto future = stopped->get_future();
    boost::asio::post(io_, [this, stopped] { server_->Stop([stopped] { stopped->set_value(); }); });
    return future.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  }

 private:
  const mqtt::AllowAll all_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<MqttServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace mig
