// One connection to one HTTP server, as coroutines: made when it is needed, kept between calls,
// thrown away after any failure. Only for net/http_client.cpp, which gives it two faces.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "net/http_client.h"

namespace mig {

class HttpChannel {
 public:
  HttpChannel(boost::asio::any_io_executor executor, HttpClientOptions options);
  ~HttpChannel();
  HttpChannel(const HttpChannel&) = delete;
  HttpChannel& operator=(const HttpChannel&) = delete;

  // One at a time. Errors as net/http_client.h; kUnavailable "interrupted" after Cancel. The
  // channel must live until the coroutine has ended.
  boost::asio::awaitable<Expected<HttpReply>> Call(HttpCall call);
  boost::asio::awaitable<Expected<HttpReply>> Stream(HttpCall call, HttpClient::OnEvent on_event);

  // Ends what is under way, wherever it waits.
  void Cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mig
