// The byte stream under a Beast stream that has no socket: what came in is put here, what is to go
// out is taken from here. With it Beast's protocol code is a state machine that is driven from
// outside, bytes in and bytes out. Only for net/websocket_stream.cpp.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <cassert>
#include <memory>
#include <utility>

#include "util/bytes.h"

namespace mig {

class MemoryPipe {
 public:
  using executor_type = boost::asio::io_context::executor_type;

  explicit MemoryPipe(boost::asio::io_context& loop) : loop_(loop) {}

  executor_type get_executor() { return loop_.get_executor(); }

  // What readers get next; a view, to be used up before the caller's bytes go. There must be
  // nothing left of what was put before.
  void Put(BytesView bytes) {
    assert(input_.empty());
    input_ = bytes;
    if (reader_ && !input_.empty()) std::exchange(reader_, nullptr)->Complete(*this);
  }
  void DropInput() { input_ = {}; }
  // What was written; the caller removes what it has sent.
  Bytes& output() { return output_; }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          assert(!reader_ && "one read at a time");
          auto reader =
              std::make_unique<WaitingReader<decltype(handler), Buffers>>(std::move(handler), into);
          if (input_.empty()) {
            reader_ = std::move(reader);
          } else {
            reader->Complete(*this);
          }
        },
        token, buffers);
  }

  // Never waits: how much may lie here is its owner's to bound.
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          const std::size_t before = output_.size();
          for (auto at = boost::asio::buffer_sequence_begin(from);
               at != boost::asio::buffer_sequence_end(from); ++at) {
            const boost::asio::const_buffer piece(*at);
            output_.append(static_cast<const char*>(piece.data()), piece.size());
          }
          Post(std::move(handler), output_.size() - before);
        },
        token, buffers);
  }

  // What Beast calls when a WebSocket has ended. The stream below is ended by its owner.
  template <typename Handler>
  friend void async_teardown(boost::beast::role_type, MemoryPipe& pipe, Handler&& handler) {
    boost::asio::post(pipe.loop_, boost::beast::bind_front_handler(std::forward<Handler>(handler),
                                                                   boost::system::error_code()));
  }
  friend void beast_close_socket(MemoryPipe&) {}

 private:
  struct Reader {
    virtual ~Reader() = default;
    virtual void Complete(MemoryPipe& pipe) = 0;
  };
  template <typename Handler, typename Buffers>
  struct WaitingReader final : Reader {
    WaitingReader(Handler h, const Buffers& b) : handler(std::move(h)), buffers(b) {}
    void Complete(MemoryPipe& pipe) override {
      const std::size_t size = boost::asio::buffer_copy(
          buffers, boost::asio::buffer(pipe.input_.data(), pipe.input_.size()));
      pipe.input_.remove_prefix(size);
      pipe.Post(std::move(handler), size);
    }
    Handler handler;
    Buffers buffers;
  };

  template <typename Handler>
  void Post(Handler handler, std::size_t size) {
    boost::asio::post(loop_, boost::beast::bind_front_handler(std::move(handler),
                                                              boost::system::error_code(), size));
  }

  boost::asio::io_context& loop_;
  BytesView input_;
  Bytes output_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace mig
