#include "roles/agent/command_desk.h"

#include "crypto/digest.h"
#include "proto/command.h"
#include "roles/agent/crash_points.h"
#include "roles/agent/ledger_notes.h"
#include "util/log.h"

namespace mig::agent {

Receipt CommandDesk::MakeReceipt(const ActionId& action, std::string state, UtcTime clock) const {
  Receipt receipt;
  receipt.agent = parts_.self.id;
  receipt.action = action;
  receipt.state = std::move(state);
  receipt.time = clock;
  receipt.policy = parts_.policy.version();
  receipt.ledger = parts_.db.ledger_mark();
  return receipt;
}

Decision CommandDesk::Check(const Envelope& envelope, const AudienceProof* proof,
                            UtcTime clock) const {
  CheckContext context;
  context.policy = parts_.policy.policy();
  context.freshness = parts_.policy.freshness();
  context.org = parts_.policy.org();
  context.now = parts_.policy.AgentTime(clock);
  context.memory = &parts_.db;
  context.modules = FactsOfModule;
  context.agent = parts_.self.id;
  context.proof = proof;
  context.facts = FactsAbout(parts_.self, context.policy, context.now);
  context.sandbox_full = parts_.sandbox.level == "full";
  context.path_rules_enforceable = parts_.sandbox.can_limit_folders;
  return CheckAction(envelope, context);
}

CommandDesk::Answer CommandDesk::Take(BytesView message, UtcTime clock) {
  auto command = DecodeCommand(message);
  if (!command) {
    NoteUnreadable(message, command.error(), clock);
    return {};
  }
  auto envelope = EnvelopeFromJson(command->action, "command.action");
  if (!envelope) {
    NoteUnreadable(message, envelope.error(), clock);
    return {};
  }
  const Decision decision = Check(*envelope, command->proof ? &*command->proof : nullptr, clock);
  if (decision.refused) return Refuse(*envelope, decision, clock);
  if (decision.accepted->repeated) return TakeRepeated(decision.accepted->action.id, clock);
  return TakeNew(*decision.accepted, EncodeEnvelope(*envelope), clock);
}

void CommandDesk::NoteUnreadable(BytesView message, const Error& why, UtcTime clock) {
  log::Warning("a command cannot be read", {{"reason", why.message()}});
  const auto suppressed = refusals_.Note(Sha256(message), "unreadable", clock);
  if (!suppressed) return;
  Crash("agent.refuse.before");
  if (auto ok = parts_.db.AppendToLedger(UnreadableNote(clock, why.message(), *suppressed)); !ok) {
    log::Error("the ledger cannot be written", {{"reason", ok.error().message()}});
  }
  Crash("agent.refuse.stored");
}

CommandDesk::Answer CommandDesk::Refuse(const Envelope& envelope, const Decision& decision,
                                        UtcTime clock) {
  const std::string code(RefusalCode(decision.refused->code));
  log::Warning("action refused",
               {{"action", decision.action ? decision.action->id.Text() : "unknown"},
                {"code", code},
                {"detail", decision.refused->detail}});
  if (const auto suppressed = refusals_.Note(Sha256(envelope.payload), code, clock)) {
    Crash("agent.refuse.before");
    // Refusing needs no ledger: the refusal stands, and the receipt says it.
    if (auto ok = parts_.db.AppendToLedger(RefusedNote(clock, decision, *suppressed)); !ok) {
      log::Error("the ledger cannot be written", {{"reason", ok.error().message()}});
    }
    Crash("agent.refuse.stored");
  }
  Answer answer;
  if (!decision.action) return answer;  // without an id there is nobody to answer
  answer.receipt = MakeReceipt(decision.action->id, "refused", clock);
  answer.receipt->code = code;
  answer.receipt->detail = decision.refused->detail;
  return answer;
}

CommandDesk::Answer CommandDesk::TakeRepeated(const ActionId& action, UtcTime clock) {
  Answer answer;
  auto known = parts_.db.Recall(action);
  if (!known || !*known) {
    // The check has just found it: only a broken database gets here.
    log::Error("the memory of actions cannot be read", {{"action", action.Text()}});
    return answer;
  }
  const bool started = (*known)->state == store::RunState::kStarted;
  if ((*known)->state == store::RunState::kFinished && (*known)->kind != Kind::kStop) {
    Crash("agent.repeat.before");
    auto repeated = parts_.db.Repeat(action);
    if (repeated) {
      Crash("agent.repeat.stored");
      answer.repeated = true;
    } else {
      log::Error("a result cannot be repeated",
                 {{"action", action.Text()}, {"reason", repeated.error().message()}});
    }
  }
  answer.receipt = MakeReceipt(action, started ? "started" : "received", clock);
  return answer;
}

CommandDesk::Answer CommandDesk::TakeNew(const Accepted& accepted, BytesView envelope,
                                         UtcTime clock) {
  const Action& action = accepted.action;
  const bool stop = action.kind == Kind::kStop;
  Answer answer;
  if (!stop && !parts_.queue.HasRoom()) {
    // Nothing is remembered: the scheduler sends it again, and then it is new again.
    log::Info("busy", {{"action", action.id.Text()}});
    answer.receipt = MakeReceipt(action.id, "busy", clock);
    return answer;
  }
  // Even if the stop cannot be written down, what it names ends.
  if (stop) answer.stop = action.stops;
  Crash(stop ? "agent.stop.before" : "agent.accept.before");
  auto stored = parts_.db.Accept(accepted, envelope, parts_.policy.FloorWith(action),
                                 AcceptedNote(clock, accepted));
  if (!stored) {
    log::Error("nothing runs: the ledger cannot be written",
               {{"action", action.id.Text()}, {"reason", stored.error().message()}});
    answer.receipt = MakeReceipt(action.id, "refused", clock);
    answer.receipt->code = RefusalCode(Refusal::kLedger);
    answer.receipt->detail = stored.error().message();
    return answer;
  }
  Crash(stop ? "agent.stop.stored" : "agent.accept.stored");
  parts_.policy.RaiseFloor(action);
  log::Info(stop ? "stop accepted" : "action accepted",
            {{"action", action.id.Text()}, {"name", action.name}});
  if (!stop) {
    parts_.queue.Add(action.id);
    answer.queued = true;
  }
  answer.receipt = MakeReceipt(action.id, "received", clock);
  return answer;
}

Expected<Runnable> CommandDesk::Recheck(const store::RememberedAction& action,
                                        UtcTime clock) const {
  auto envelope = DecodeEnvelope(action.envelope);
  if (!envelope) return std::move(envelope).error().During("stored action");
  // It was in its audience when it was accepted; the proof is not kept.
  Decision decision = Check(*envelope, nullptr, clock);
  if (decision.refused) {
    return Error(Errc::kDenied, std::string(RefusalCode(decision.refused->code)) + ": " +
                                    decision.refused->detail);
  }
  if (!decision.accepted->repeated || decision.accepted->action.id != action.id) {
    return Error(Errc::kInternal, "stored action " + action.id.Text() + " is not what it was");
  }
  Runnable runnable;
  runnable.action = std::move(decision.accepted->action);
  runnable.roots = std::move(decision.accepted->roots);
  runnable.constraints = std::move(decision.accepted->constraints);
  return runnable;
}

}  // namespace mig::agent
