// Runs accepted actions: operation after operation in child processes, their frames into signed
// parts on disk, until the action has its final status. One coroutine for each action; Asio; one
// thread. Which actions run when is roles/agent/run_queue.h.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proto/result.h"
#include "roles/agent/answer_writer.h"
#include "roles/agent/attachment_source.h"
#include "roles/agent/command_desk.h"
#include "roles/agent/identity.h"
#include "roles/agent/module_run.h"
#include "store/agent_db.h"

namespace mig::agent {

class Runner {
 public:
  struct Parts {  // all must outlive the runner
    boost::asio::io_context& io;
    const Identity& identity;
    store::AgentDb& db;
    AttachmentSource* attachments = nullptr;  // null: actions that have some fail
  };
  struct Options {
    std::string program;  // of the children: this executable
    bool privacy = false;
  };
  struct Events {
    std::function<void()> stored;                // parts wait to be sent
    std::function<void(const ActionId&)> ended;  // it runs no more, whatever became of it
  };
  Runner(const Parts& parts, Options options, Events events);
  ~Runner();

  // `started` must be on disk. `time_left` ends the whole action. `ended` is called once, never
  // from inside.
  void Run(Runnable what, const store::PartsProgress& progress, std::chrono::milliseconds time_left,
           bool require_full_sandbox);

  // People stopped it: its child dies, and its answer says so. Nothing when it does not run.
  void Stop(const ActionId& action);
  // Acknowledgements came: an answer that waits for room in the outbox goes on.
  void RoomMade();
  // The agent ends: children die, nothing more is written. What was cut off is decided at the next
  // start (roles/agent/resume.h).
  void Shutdown();

 private:
  struct Job;
  boost::asio::awaitable<void> Perform(std::shared_ptr<Job> job);
  // Every attachment is there, and what it holds keeps the policy's constraints; else how the
  // action ends, before anything of it ran.
  boost::asio::awaitable<std::optional<OperationSummary>> Prepare(std::shared_ptr<Job> job);
  boost::asio::awaitable<Expected<std::vector<ModuleAttachment>>> Attached(std::shared_ptr<Job> job,
                                                                           std::size_t operation);
  boost::asio::awaitable<OperationSummary> RunOperation(std::shared_ptr<Job> job,
                                                        std::size_t operation);
  boost::asio::awaitable<Expected<AnswerWriter::Added>> Add(std::shared_ptr<Job> job,
                                                            const ElementFrame& frame);
  static OperationSummary Summarise(const Job& job, const ModuleRun& run,
                                    std::optional<ModuleResult> result,
                                    const std::optional<os::ChildExit>& exit);

  Parts parts_;
  Options options_;
  Events events_;
  std::map<ActionId, std::shared_ptr<Job>> jobs_;
};

}  // namespace mig::agent
