// One operation in its child process (`mig module NAME --frames`, roles/module): fed, read frame by
// frame, killed with its whole family at the deadline or when told to. Reading is the brake: a
// child whose frames nobody takes waits at a full pipe. Asio; one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modules/frames.h"
#include "os/child_process.h"
#include "proto/limits.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::agent {

// What follows the parameters on the child's stdin; the child puts it in (roles/module).
struct ModuleAttachment {
  std::string name;
  Bytes content;
};

struct ModuleCall {
  std::string program;  // absolute path of this executable
  std::string module;
  json::object parameters;
  std::vector<ModuleAttachment> attachments;  // those that the parameters refer to
  Limits limits;                              // what is left of the action's
  std::vector<std::string> roots;             // below which it may read; empty: everywhere
  bool privacy = false;
  bool require_full_sandbox = false;
};

// The words of the child's command line. Pure.
std::vector<std::string> ModuleArguments(const ModuleCall& call);

class ModuleRun : public std::enable_shared_from_this<ModuleRun> {
 public:
  // Why it was ended from outside.
  enum class Cut { kNone, kDeadline, kStopped, kShutdown, kFault };

  // Starts the child. Error: it cannot be started.
  static Expected<std::shared_ptr<ModuleRun>> Start(boost::asio::io_context& io,
                                                    const ModuleCall& call,
                                                    std::chrono::steady_clock::time_point deadline);
  ~ModuleRun();  // kills the child, and does not wait for it

  // Gives the child its parameters and closes its stdin. A child that does not read them has its
  // own reasons, which its exit will tell.
  boost::asio::awaitable<void> Feed();

  // The next frame; nothing at the end of the stream, or once it was cut. Error: kMalformed: what
  // came was no frame; the child was ended then.
  boost::asio::awaitable<Expected<std::optional<Frame>>> Next();

  // Waits for the child's end, and kills it when it does not come by itself soon after its stream.
  // Nothing: even killed it has not ended yet (it hangs in the kernel, on a dead network disk); it
  // will be reaped when it does.
  boost::asio::awaitable<std::optional<os::ChildExit>> Exit();

  // Kills the whole family. The first reason stays. May be called at any time.
  void End(Cut reason);
  Cut cut() const { return cut_; }

  // The end of what it wrote to stderr, safe to print.
  std::string Complaint() const;

 private:
  struct Streams;
  ModuleRun(boost::asio::io_context& io, os::ChildProcess child, Bytes input);
  void WatchDeadline(std::chrono::steady_clock::time_point deadline);
  boost::asio::awaitable<void> DrainErrors();
  boost::asio::awaitable<bool> Ended(std::chrono::milliseconds within);
  void Bury();

  os::ChildProcess child_;
  std::unique_ptr<Streams> streams_;
  Bytes input_;
  FrameDecoder decoder_;
  Bytes errors_;
  Cut cut_ = Cut::kNone;
};

}  // namespace mig::agent
