// An API for tests of its client: a real HTTPS server on a port of its own, whose handlers a test
// chooses. They run on the server's thread, one at a time.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "cli/client_config.h"
#include "crypto/certificate.h"
#include "net/http_server.h"
#include "os/files.h"
#include "test/temp_folder.h"

namespace mig {

class FakeApi {
 public:
  explicit FakeApi(std::vector<HttpRoute> routes) {
    const UtcTime now = Now();
    const auto ca = MakeCa("test CA", now, std::chrono::hours(1));
    REQUIRE(ca);
    LeafRequest request;
    request.name = {"api", "api-1"};
    request.dns_names = {"localhost", "127.0.0.1"};
    request.server = true;
    request.validity = std::chrono::hours(1);
    const auto leaf = IssueLeaf(*ca, request, now);
    REQUIRE(leaf);
    REQUIRE(os::WriteNewFile(folder_ / "ca.crt", ca->certificate, 0600));
    REQUIRE(os::WriteNewFile(folder_ / "api.crt", leaf->certificate, 0600));
    REQUIRE(os::WriteNewFile(folder_ / "api.key", leaf->key, 0600));
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    options.certificate_file = (folder_ / "api.crt").string();
    options.key_file = (folder_ / "api.key").string();
    auto server = HttpServer::Start(io_, std::move(options), std::move(routes));
    REQUIRE(server);
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~FakeApi() {
    io_.stop();
    thread_.join();
    server_.reset();
  }

  cli::ClientConfig Config() const {
    cli::ClientConfig config;
    config.api = "https://127.0.0.1:" + std::to_string(server_->port());
    config.ca = folder_ / "ca.crt";
    config.org = *OrgId::FromBytes(Bytes(32, 'o'));
    return config;
  }

 private:
  TempFolder folder_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

inline HttpReply JsonReply(int status, const std::string& body) {
  HttpReply reply;
  reply.status = status;
  reply.headers.Add("Content-Type", "application/json");
  reply.body = body;
  return reply;
}

}  // namespace mig
