#include "roles/agent/module_run.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "modules/module.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::agent {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kMaxErrorBytes = 4096;
// The agent's own deadline decides; the child's, which it sets itself, comes after, for the case
// that the agent dies.
constexpr std::uint32_t kChildGraceSeconds = 5;
constexpr std::chrono::seconds kExitGrace{2};
constexpr std::chrono::seconds kKillGrace{10};

using Stream = asio::posix::stream_descriptor;

}  // namespace

std::vector<std::string> ModuleArguments(const ModuleCall& call) {
  Limits limits = call.limits;
  limits.seconds += kChildGraceSeconds;
  std::vector<std::string> words = {call.program, "module",   call.module,
                                    "--frames",   "--limits", json::Write(EncodeLimits(limits))};
  for (const std::string& root : call.roots) {
    words.emplace_back("--root");
    words.push_back(root);
  }
  for (const ModuleAttachment& attachment : call.attachments) {
    words.emplace_back("--attachment");
    words.push_back(attachment.name + "=" + std::to_string(attachment.content.size()));
  }
  const Module* module = FindModule(call.module);
  if (module != nullptr && NeedsMoreRights(*module, call.parameters)) {
    words.emplace_back("--more-rights");
  }
  if (call.privacy) words.emplace_back("--privacy");
  if (call.require_full_sandbox) {
    words.emplace_back("--require-sandbox");
    words.emplace_back("full");
  }
  return words;
}

struct ModuleRun::Streams {
  explicit Streams(asio::io_context& io)
      : input(io), output(io), errors(io), end(io), deadline(io), grace(io) {}
  Stream input, output, errors;
  Stream end;  // the pidfd: readable when the child has ended
  asio::steady_timer deadline, grace;
};

ModuleRun::ModuleRun(asio::io_context& io, os::ChildProcess child, Bytes input)
    : child_(std::move(child)), streams_(std::make_unique<Streams>(io)), input_(std::move(input)) {
  streams_->input.assign(child_.stdin_pipe().Release());
  streams_->output.assign(child_.stdout_pipe().Release());
  streams_->errors.assign(child_.stderr_pipe().Release());
  if (child_.pidfd().valid()) streams_->end.assign(child_.pidfd().get());
}

ModuleRun::~ModuleRun() {
  // The child process owns that descriptor.
  if (streams_->end.is_open()) streams_->end.release();
  Bury();
}

// Kills what still lives, and leaves the waiting to a thread: a process in the kernel's hands dies
// when the kernel lets it go, and the agent has other things to do.
void ModuleRun::Bury() {
  child_.Kill();
  if (child_.Poll()) return;
  std::thread([child = std::move(child_)]() mutable { child.Wait(); }).detach();
}

Expected<std::shared_ptr<ModuleRun>> ModuleRun::Start(
    asio::io_context& io, const ModuleCall& call, std::chrono::steady_clock::time_point deadline) {
  os::ChildOptions options;
  options.program = call.program;
  options.argv = ModuleArguments(call);
  auto child = os::ChildProcess::Start(options);
  if (!child) return std::move(child).error().During("module " + call.module);
  Bytes input = json::Write(call.parameters);
  for (const ModuleAttachment& attachment : call.attachments) input += attachment.content;
  std::shared_ptr<ModuleRun> run(new ModuleRun(io, std::move(*child), std::move(input)));
  run->WatchDeadline(deadline);
  asio::co_spawn(
      io, [](std::shared_ptr<ModuleRun> self) { return self->DrainErrors(); }(run),
      [run](const std::exception_ptr&) {});
  return run;
}

void ModuleRun::WatchDeadline(std::chrono::steady_clock::time_point deadline) {
  streams_->deadline.expires_at(deadline);
  streams_->deadline.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->End(Cut::kDeadline);
  });
}

void ModuleRun::End(Cut reason) {
  if (cut_ == Cut::kNone) cut_ = reason;
  child_.Kill();
  // Whoever waits for one of them wakes up, even if something that escaped holds the other end.
  boost::system::error_code ignored;
  streams_->input.close(ignored);
  streams_->output.close(ignored);
  streams_->errors.close(ignored);
}

asio::awaitable<void> ModuleRun::Feed() {
  const auto self = shared_from_this();
  co_await asio::async_write(streams_->input, asio::buffer(input_), kAwait);
  boost::system::error_code ignored;
  streams_->input.close(ignored);
  input_.clear();
}

asio::awaitable<Expected<std::optional<Frame>>> ModuleRun::Next() {
  const auto self = shared_from_this();
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    auto frame = decoder_.Next();
    if (!frame || *frame) {
      if (!frame) End(Cut::kFault);
      co_return frame;
    }
    if (!streams_->output.is_open()) co_return std::optional<Frame>();
    const auto [error, count] =
        co_await streams_->output.async_read_some(asio::buffer(chunk), kAwait);
    if (error) co_return std::optional<Frame>();  // its end, or ours
    if (auto fed = decoder_.Feed({chunk.data(), count}); !fed) {
      End(Cut::kFault);
      co_return std::move(fed).error();
    }
  }
}

asio::awaitable<void> ModuleRun::DrainErrors() {
  std::array<char, 4096> chunk;
  while (streams_->errors.is_open()) {
    const auto [error, count] =
        co_await streams_->errors.async_read_some(asio::buffer(chunk), kAwait);
    if (error) co_return;
    errors_.append(chunk.data(), count);
    // What it said last tells most.
    if (errors_.size() > kMaxErrorBytes) errors_.erase(0, errors_.size() - kMaxErrorBytes);
  }
}

asio::awaitable<bool> ModuleRun::Ended(std::chrono::milliseconds within) {
  if (child_.Poll()) co_return true;
  streams_->grace.expires_after(within);
  if (!streams_->end.is_open()) {  // a kernel without pidfd_open: look again later
    co_await streams_->grace.async_wait(kAwait);
  } else {
    streams_->grace.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      const auto waiting = weak.lock();
      if (!error && waiting) waiting->streams_->end.cancel();
    });
    co_await streams_->end.async_wait(Stream::wait_read, kAwait);
    streams_->grace.cancel();
  }
  co_return child_.Poll().has_value();
}

asio::awaitable<std::optional<os::ChildExit>> ModuleRun::Exit() {
  const auto self = shared_from_this();
  if (cut_ == Cut::kNone) co_await Ended(kExitGrace);
  child_.Kill();  // also whatever it left behind in its group
  const bool ended = co_await Ended(kKillGrace);
  streams_->deadline.cancel();
  if (ended) co_return child_.Wait();
  log::Error("a module's process cannot be ended; it hangs in the kernel",
             {{"pid", std::to_string(child_.pid())}});
  co_return std::nullopt;
}

std::string ModuleRun::Complaint() const { return EscapeForTerminal(Trim(errors_)); }

}  // namespace mig::agent
