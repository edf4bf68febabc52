// Live streams of actions: each client that follows an action gets its parts, its finished commands
// and its progress as server-sent events, from where it left off, and an end. Streams read the
// store when the scheduler has announced a change; they hold no queue of their own, only cursors,
// and wait for their socket, so a slow client costs one page.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "net/http_server.h"
#include "store/server_db.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
class thread_pool;
}  // namespace boost::asio

namespace mig::api {

// Where a stream is: the last part and the last finished command that were sent. As an event's id
// it is "PART.FINISH", which clients send back as Last-Event-ID.
struct StreamCursor {
  std::int64_t part = 0;
  std::int64_t finish = 0;

  std::string Text() const { return std::to_string(part) + "." + std::to_string(finish); }
  static Expected<StreamCursor> Parse(std::string_view text);
  bool operator==(const StreamCursor&) const = default;
};

// One page of events for an action, and where it leaves the stream. Reads the store; for a thread
// that may block. `previous_progress` is the data of the last progress event that was sent.
struct StreamPage {
  Bytes text;  // whole events; empty: nothing new
  StreamCursor cursor;
  std::string progress;  // data of the newest progress event
  bool more = false;     // call again at once
  bool ended = false;    // the action is final and everything was sent
};
Expected<StreamPage> ReadStreamPage(store::ServerReader& reader, const ActionId& action,
                                    StreamCursor cursor, const std::string& previous_progress);

// Only on the API's thread.
class EventStreams {
 public:
  // Reads run on `readers`; all three must outlive this.
  EventStreams(boost::asio::io_context& io, boost::asio::thread_pool& readers, store::ServerDb& db,
               std::size_t most);
  ~EventStreams();

  bool full() const;
  void Open(const ActionId& action, StreamCursor cursor, std::shared_ptr<EventSink> sink);
  void ActionChanged(const ActionId& action);
  void AnythingMayHaveChanged();  // after the line to a relay was down
  void CloseAll();

 private:
  struct Stream;
  void Pump(const std::shared_ptr<Stream>& stream);
  void PageRead(const std::shared_ptr<Stream>& stream, Expected<StreamPage> page);
  void Send(const std::shared_ptr<Stream>& stream, Bytes text, bool ended);
  void KeepAlive(const std::shared_ptr<Stream>& stream);
  void Close(const std::shared_ptr<Stream>& stream);

  boost::asio::io_context& io_;
  boost::asio::thread_pool& readers_;
  store::ServerDb& db_;
  std::size_t most_;
  std::map<ActionId, std::set<std::shared_ptr<Stream>>> streams_;
  std::size_t count_ = 0;
};

}  // namespace mig::api
