#include "roles/api/event_streams.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <charconv>

#include "roles/api/views.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::size_t kPartsPerPage = 64;
constexpr std::size_t kPageBytes = 512 * 1024;
constexpr std::size_t kCommandsPerPage = 256;
constexpr std::chrono::seconds kKeepAlive{15};

}  // namespace

Expected<StreamCursor> StreamCursor::Parse(std::string_view text) {
  StreamCursor cursor;
  if (text.empty()) return cursor;
  const char* end = text.data() + text.size();
  const auto [dot, part_error] = std::from_chars(text.data(), end, cursor.part);
  if (part_error == std::errc() && dot != end && *dot == '.') {
    const auto [stop, finish_error] = std::from_chars(dot + 1, end, cursor.finish);
    if (finish_error == std::errc() && stop == end && cursor.part >= 0 && cursor.finish >= 0) {
      return cursor;
    }
  }
  return Error(Errc::kMalformed, "Last-Event-ID is not one that this API gave");
}

Expected<StreamPage> ReadStreamPage(store::ServerReader& reader, const ActionId& action,
                                    StreamCursor cursor, const std::string& previous_progress) {
  // The order of these reads makes the stream's order: what is read later is at least as new. So a
  // final action's commands are all finished when they are read, and a finished command's parts
  // are all there when those are read.
  auto row = reader.FindAction(action);
  if (!row) return std::move(row).error();
  if (!*row) return Error(Errc::kNotFound, "there is no such action");
  auto counters = reader.CountCommands(action);
  if (!counters) return std::move(counters).error();
  auto commands = reader.ListFinishedCommands(action, cursor.finish, kCommandsPerPage);
  if (!commands) return std::move(commands).error();
  auto parts = reader.ListParts(action, cursor.part, kPartsPerPage, kPageBytes);
  if (!parts) return std::move(parts).error();

  StreamPage page;
  page.cursor = cursor;
  std::map<AgentId, Bytes> keys;
  for (const store::PartRow& part : *parts) {
    auto known = keys.find(part.agent);
    if (known == keys.end()) {
      auto key = reader.FindAgentKey(part.agent);
      if (!key) return std::move(key).error();
      known = keys.emplace(part.agent, key->value_or(Bytes())).first;
    }
    page.cursor.part = part.row;
    page.text += FormatEvent("part", page.cursor.Text(), ViewPart(part, known->second));
  }
  if (!parts->empty()) {
    // Perhaps not the last page of parts: commands and the end wait for an empty one.
    page.more = true;
    page.progress = previous_progress;
    return page;
  }
  for (const store::CommandRow& command : *commands) {
    page.cursor.finish = command.finish;
    page.text += FormatEvent("command", page.cursor.Text(), json::Write(ViewCommand(command)));
  }
  page.more = !commands->empty();
  page.progress = json::Write(json::object{{"status", ActionStatusName((*row)->status)},
                                           {"detail", (*row)->detail},
                                           {"counters", ViewCounters(*counters)}});
  if (page.progress != previous_progress) {
    page.text += FormatEvent("progress", page.cursor.Text(), page.progress);
  }
  if (!page.more && IsFinal((*row)->status)) {
    page.text += FormatEvent("end", page.cursor.Text(), page.progress);
    page.ended = true;
  }
  return page;
}

struct EventStreams::Stream {
  Stream(boost::asio::io_context& io, const ActionId& id, StreamCursor start,
         std::shared_ptr<EventSink> to)
      : action(id), cursor(start), sink(std::move(to)), keep_alive(io) {}
  ActionId action;
  StreamCursor cursor;
  std::string progress;
  std::shared_ptr<EventSink> sink;  // null once closed
  boost::asio::steady_timer keep_alive;
  bool busy = false;   // a read or a write is under way
  bool stale = false;  // something changed meanwhile
};

EventStreams::EventStreams(boost::asio::io_context& io, boost::asio::thread_pool& readers,
                           store::ServerDb& db, std::size_t most)
    : io_(io), readers_(readers), db_(db), most_(most) {}

EventStreams::~EventStreams() { CloseAll(); }

bool EventStreams::full() const { return count_ >= most_; }

void EventStreams::Open(const ActionId& action, StreamCursor cursor,
                        std::shared_ptr<EventSink> sink) {
  auto stream = std::make_shared<Stream>(io_, action, cursor, std::move(sink));
  streams_[action].insert(stream);
  ++count_;
  KeepAlive(stream);
  Pump(stream);
}

void EventStreams::ActionChanged(const ActionId& action) {
  const auto found = streams_.find(action);
  if (found == streams_.end()) return;
  const auto streams = found->second;  // Pump may close one
  for (const auto& stream : streams) Pump(stream);
}

void EventStreams::AnythingMayHaveChanged() {
  std::set<ActionId> actions;
  for (const auto& [action, streams] : streams_) actions.insert(action);
  for (const ActionId& action : actions) ActionChanged(action);
}

void EventStreams::CloseAll() {
  const auto all = streams_;
  for (const auto& [action, streams] : all) {
    for (const auto& stream : streams) Close(stream);
  }
}

void EventStreams::Pump(const std::shared_ptr<Stream>& stream) {
  if (!stream->sink) return;
  if (stream->busy) {
    stream->stale = true;
    return;
  }
  stream->busy = true;
  stream->stale = false;
  boost::asio::post(readers_, [this, stream, action = stream->action, cursor = stream->cursor,
                               progress = stream->progress] {
    auto page = db_.Read([&](store::ServerReader& reader) {
      return ReadStreamPage(reader, action, cursor, progress);
    });
    boost::asio::post(io_, [this, stream, page = std::move(page)]() mutable {
      PageRead(stream, std::move(page));
    });
  });
}

void EventStreams::PageRead(const std::shared_ptr<Stream>& stream, Expected<StreamPage> page) {
  if (!stream->sink) return;
  if (!page) {
    // The client comes back with its Last-Event-ID.
    log::Error("event stream ended early",
               {{"action", stream->action.Text()}, {"error", page.error().message()}});
    Close(stream);
    return;
  }
  stream->cursor = page->cursor;
  stream->progress = page->progress;
  if (page->more) stream->stale = true;
  if (page->text.empty()) {
    stream->busy = false;
    if (stream->stale) Pump(stream);
    return;
  }
  CrashPoint(page->ended ? "api.stream.before_end" : "api.stream.before_part");
  Send(stream, std::move(page->text), page->ended);
}

void EventStreams::Send(const std::shared_ptr<Stream>& stream, Bytes text, bool ended) {
  stream->sink->Write(std::move(text), [this, stream, ended](bool open) {
    CrashPoint("api.stream.after_part");
    stream->busy = false;
    if (!open || ended) {
      Close(stream);
    } else if (stream->stale) {
      Pump(stream);
    }
  });
}

// A comment now and then shows the client that the line is up, and us that the client is.
void EventStreams::KeepAlive(const std::shared_ptr<Stream>& stream) {
  stream->keep_alive.expires_after(kKeepAlive);
  stream->keep_alive.async_wait([this, stream](const boost::system::error_code& error) {
    if (error || !stream->sink) return;
    if (!stream->sink->open()) {
      Close(stream);
      return;
    }
    if (!stream->busy) {
      stream->busy = true;
      Send(stream, ": still here\n\n", false);
    }
    KeepAlive(stream);
  });
}

void EventStreams::Close(const std::shared_ptr<Stream>& stream) {
  if (!stream->sink) return;
  stream->sink.reset();
  stream->keep_alive.cancel();
  const auto found = streams_.find(stream->action);
  if (found != streams_.end() && found->second.erase(stream) > 0) {
    --count_;
    if (found->second.empty()) streams_.erase(found);
  }
}

}  // namespace mig::api
