#include "roles/agent/runner.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proto/attachment_references.h"
#include "roles/agent/crash_points.h"
#include "roles/agent/self_facts.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::agent {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
using Cut = ModuleRun::Cut;

// How long an answer waits for acknowledgements to make room in a full outbox.
constexpr std::chrono::seconds kRoomPatience{30};

OperationSummary Failure(CommandStatus status, std::string why) {
  OperationSummary summary;
  summary.status = status;
  summary.result = ToJson(FailedResult(std::move(why)));
  summary.sandbox = "none";
  return summary;
}

Expected<json::object> ExpandFor(const Operation& operation,
                                 const std::vector<ModuleAttachment>& attached) {
  return ExpandAttachments(operation.parameters,
                           [&](std::string_view name) -> std::optional<BytesView> {
                             for (const ModuleAttachment& attachment : attached) {
                               if (attachment.name == name) return BytesView(attachment.content);
                             }
                             return std::nullopt;
                           });
}

}  // namespace

struct Runner::Job {
  Job(asio::io_context& io, Runnable runnable, AnswerWriter answer)
      : what(std::move(runnable)),
        writer(std::move(answer)),
        room(io),
        attachments(std::make_shared<AttachmentWait>(io)) {}

  Runnable what;
  AnswerWriter writer;
  std::size_t next_operation = 0;
  std::optional<CommandStatus> failure;  // the first that is not success
  steady_clock::time_point begun, deadline;
  bool require_full_sandbox = false;

  std::shared_ptr<ModuleRun> run;               // the child of the present operation
  asio::steady_timer room;                      // waits for room in the outbox
  std::shared_ptr<AttachmentWait> attachments;  // waits for them
  Cut cut = Cut::kNone;                         // of the whole action
  std::string no_room;                          // why the outbox took no more

  const ActionId& id() const { return what.action.id; }
  bool Waiting() const { return cut == Cut::kNone && steady_clock::now() < deadline; }
  void End(Cut reason) {
    if (cut == Cut::kNone) cut = reason;
    if (run) run->End(reason);
    room.cancel();
    attachments->Cancel();
  }
};

Runner::Runner(const Parts& parts, Options options, Events events)
    : parts_(parts), options_(std::move(options)), events_(std::move(events)) {}

Runner::~Runner() = default;

void Runner::Run(Runnable what, const store::PartsProgress& progress,
                 std::chrono::milliseconds time_left, bool require_full_sandbox) {
  AnswerWriter writer(parts_.identity, parts_.db, Now, what.action.id, what.action.limits,
                      progress);
  auto job = std::make_shared<Job>(parts_.io, std::move(what), std::move(writer));
  job->next_operation = progress.operations_ended;
  job->failure = progress.first_failure;
  job->begun = steady_clock::now();
  job->deadline = job->begun + time_left;
  job->require_full_sandbox = require_full_sandbox;
  jobs_[job->id()] = job;
  asio::co_spawn(
      parts_.io, [](Runner* self, std::shared_ptr<Job> it) { return self->Perform(it); }(this, job),
      [this, id = job->id()](const std::exception_ptr& failed) {
        jobs_.erase(id);
        if (failed) {
          // The third of the places where exceptions end (HOUSE-STYLE): a run. What was cut off is
          // decided at the next start.
          log::Error("a run ended by an exception", {{"action", id.Text()}});
        }
        events_.ended(id);
      });
}

void Runner::Stop(const ActionId& action) {
  const auto found = jobs_.find(action);
  if (found != jobs_.end()) found->second->End(Cut::kStopped);
}

void Runner::RoomMade() {
  for (const auto& [id, job] : jobs_) job->room.cancel();
}

void Runner::Shutdown() {
  for (const auto& [id, job] : jobs_) job->End(Cut::kShutdown);
}

asio::awaitable<void> Runner::Perform(std::shared_ptr<Job> job) {
  const std::size_t count = job->what.action.operations.size();
  auto unfit = co_await Prepare(job);
  if (job->cut == Cut::kShutdown) co_return;
  if (unfit) {
    job->writer.BeginOperation(static_cast<std::uint32_t>(job->next_operation));
    if (auto finished = job->writer.Finish(*unfit, unfit->status); !finished) {
      log::Error("an answer cannot be stored; the run is given up",
                 {{"action", job->id().Text()}, {"reason", finished.error().message()}});
      co_return;
    }
    log::Warning("action ended before it ran",
                 {{"action", job->id().Text()},
                  {"status", std::string(CommandStatusName(unfit->status))},
                  {"errors", json::Write(unfit->result.at("errors"))}});
    events_.stored();
    co_return;
  }
  for (std::size_t operation = job->next_operation; operation < count; ++operation) {
    job->writer.BeginOperation(static_cast<std::uint32_t>(operation));
    OperationSummary summary = co_await RunOperation(job, operation);
    if (job->cut == Cut::kShutdown) co_return;
    const CommandStatus status = summary.status;
    if (status != CommandStatus::kSuccess && !job->failure) job->failure = status;
    // After the time, a stop or a full outbox there is nothing left to run the others with.
    const bool over = status == CommandStatus::kTimeout || status == CommandStatus::kStopped ||
                      !job->no_room.empty();
    bool last = over || operation + 1 == count;
    if (!last) {
      auto ended = job->writer.EndOperation(summary);
      if (!ended && ended.error().code() == Errc::kFull) {
        job->no_room = ended.error().message();
        MarkTruncated(summary.result, job->no_room);
        job->failure = job->failure.value_or(CommandStatus::kFailed);
        last = true;
      } else if (!ended) {
        log::Error("an answer cannot be stored; the run is given up",
                   {{"action", job->id().Text()}, {"reason", ended.error().message()}});
        co_return;
      }
    }
    if (last) {
      const CommandStatus final_status = job->failure.value_or(CommandStatus::kSuccess);
      if (auto finished = job->writer.Finish(summary, final_status); !finished) {
        log::Error("an answer cannot be stored; the run is given up",
                   {{"action", job->id().Text()}, {"reason", finished.error().message()}});
        co_return;
      }
      log::Info("action answered", {{"action", job->id().Text()},
                                    {"status", std::string(CommandStatusName(final_status))}});
      events_.stored();
      co_return;
    }
    events_.stored();
  }
}

asio::awaitable<Expected<std::vector<ModuleAttachment>>> Runner::Attached(std::shared_ptr<Job> job,
                                                                          std::size_t operation) {
  const Action& action = job->what.action;
  const auto names = ReferencedAttachments(action.operations[operation].parameters);
  std::vector<ModuleAttachment> attached;
  for (const Attachment& attachment : action.attachments) {
    if (!names.contains(attachment.name)) continue;
    if (parts_.attachments == nullptr) {
      co_return Error(Errc::kUnavailable, "this agent has no API to fetch attachments from");
    }
    auto content = co_await parts_.attachments->Get(attachment, job->deadline, job->attachments);
    if (!content) co_return std::move(content).error();
    attached.push_back({attachment.name, std::move(*content)});
  }
  co_return attached;
}

asio::awaitable<std::optional<OperationSummary>> Runner::Prepare(std::shared_ptr<Job> job) {
  const Action& action = job->what.action;
  if (action.attachments.empty()) co_return std::nullopt;
  for (std::size_t i = job->next_operation; i < action.operations.size(); ++i) {
    const Operation& operation = action.operations[i];
    auto attached = co_await Attached(job, i);
    if (job->cut == Cut::kStopped) {
      co_return Failure(CommandStatus::kStopped, "stopped by people");
    }
    if (!attached) co_return Failure(CommandStatus::kFailed, attached.error().message());
    const Constraints& constraints = job->what.constraints[i];
    if (attached->empty() || (constraints.paths.empty() && constraints.parameters.empty())) {
      continue;
    }
    std::function<Expected<void>()> check = [operation, constraints,
                                             held = std::move(*attached)]() -> Expected<void> {
      auto expanded = ExpandFor(operation, held);
      if (!expanded) return std::move(expanded).error();
      const auto facts = FactsOfModule(operation.module);
      return CheckConstraints(constraints, *expanded, facts ? facts->paths : PathsFunction());
    };
    auto held = co_await parts_.attachments->Apart<Expected<void>>(std::move(check));
    if (held) continue;
    const bool denied = held.error().code() == Errc::kDenied;
    co_return Failure(denied ? CommandStatus::kRefused : CommandStatus::kFailed,
                      (denied ? "constraint: operations[" : "operations[") + std::to_string(i) +
                          "], module " + operation.module + ": " + held.error().message());
  }
  co_return std::nullopt;
}

// The element into the answer; when the outbox is full, waits a while for it to be emptied.
asio::awaitable<Expected<AnswerWriter::Added>> Runner::Add(std::shared_ptr<Job> job,
                                                           const ElementFrame& frame) {
  const auto patience = std::min(steady_clock::now() + kRoomPatience, job->deadline);
  for (;;) {
    auto added = job->writer.Add(frame);
    if (added || added.error().code() != Errc::kFull) co_return added;
    if (job->cut != Cut::kNone || steady_clock::now() >= patience) co_return added;
    events_.stored();
    job->room.expires_at(patience);
    co_await job->room.async_wait(kAwait);
  }
}

asio::awaitable<OperationSummary> Runner::RunOperation(std::shared_ptr<Job> job,
                                                       std::size_t operation) {
  const Operation& order = job->what.action.operations[operation];
  ModuleCall call;
  call.program = options_.program;
  call.module = order.module;
  call.parameters = order.parameters;
  call.limits = job->what.action.limits;
  call.limits.rows = job->writer.rows_left();
  call.limits.bytes = job->writer.bytes_left();
  call.roots = job->what.roots[operation];
  call.privacy = options_.privacy;
  call.require_full_sandbox = job->require_full_sandbox;
  if (call.limits.rows == 0 || call.limits.bytes == 0) {
    OperationSummary summary = Failure(
        CommandStatus::kFailed, "not run: the operations before used up the action's limits");
    MarkTruncated(summary.result, call.limits.rows == 0 ? "rows" : "bytes");
    co_return summary;
  }
  if (!job->Waiting()) co_return Failure(CommandStatus::kTimeout, "not run: the time was used up");
  const auto left = job->deadline - steady_clock::now();
  call.limits.seconds =
      static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(left).count());

  auto attached = co_await Attached(job, operation);
  if (job->cut == Cut::kStopped) co_return Failure(CommandStatus::kStopped, "stopped by people");
  if (!attached) co_return Failure(CommandStatus::kFailed, attached.error().message());
  call.attachments = std::move(*attached);
  auto started = ModuleRun::Start(parts_.io, call, job->deadline);
  if (!started) co_return Failure(CommandStatus::kFailed, started.error().message());
  Crash("agent.child.started");
  const std::shared_ptr<ModuleRun> run = *started;
  job->run = run;
  co_await run->Feed();

  std::optional<ModuleResult> result;
  std::string fault;
  while (!result) {
    auto frame = co_await run->Next();
    if (!frame) fault = frame.error().message();
    if (!frame || !*frame) break;
    if ((*frame)->summary) {
      result = std::move((*frame)->summary);
      break;
    }
    const std::uint64_t before = job->writer.parts();
    auto added = co_await Add(job, *(*frame)->element);
    if (job->writer.parts() != before) events_.stored();
    if (added && *added == AnswerWriter::Added::kTaken) continue;
    if (!added) {
      job->no_room = fault = added.error().message();
    } else {
      // The child holds the same limits: one that does not is not ours any more.
      fault = *added == AnswerWriter::Added::kTooLarge ? "an element is too large for any part"
                                                       : "more elements than the limits allow";
    }
    run->End(Cut::kFault);
    break;
  }
  const auto exit = co_await run->Exit();
  job->run.reset();
  if (result) co_return Summarise(*job, *run, std::move(result), exit);
  if (!fault.empty() && run->cut() != Cut::kStopped) {
    OperationSummary summary = Failure(CommandStatus::kFailed, order.module + ": " + fault);
    if (!job->no_room.empty()) MarkTruncated(summary.result, job->no_room);
    co_return summary;
  }
  co_return Summarise(*job, *run, std::nullopt, exit);
}

OperationSummary Runner::Summarise(const Job& job, const ModuleRun& run,
                                   std::optional<ModuleResult> result,
                                   const std::optional<os::ChildExit>& exit) {
  if (result) {
    OperationSummary summary;
    summary.status = result->success ? CommandStatus::kSuccess : CommandStatus::kFailed;
    summary.sandbox = result->sandbox.empty() ? "none" : result->sandbox;
    summary.result = ToJson(*result);
    return summary;
  }
  switch (run.cut()) {
    case Cut::kDeadline: {
      const auto took = std::chrono::duration_cast<std::chrono::seconds>(job.deadline - job.begun);
      OperationSummary summary = Failure(
          CommandStatus::kTimeout, "ended after " + FormatDuration(took) + ", the action's time");
      MarkTruncated(summary.result, "time");
      return summary;
    }
    case Cut::kStopped: {
      OperationSummary summary = Failure(CommandStatus::kStopped, "stopped by people");
      MarkTruncated(summary.result, "stopped");
      return summary;
    }
    case Cut::kNone:
    case Cut::kShutdown:
    case Cut::kFault:
      break;
  }
  std::string why = "the module ended without an answer";
  if (exit) why += ": " + exit->Describe();
  if (const std::string complaint = run.Complaint(); !complaint.empty()) why += ": " + complaint;
  return Failure(CommandStatus::kFailed, std::move(why));
}

}  // namespace mig::agent
