#include "test/e2e/courier.h"

#include <catch2/catch.hpp>

#include "proto/command.h"
#include "proto/topics.h"

namespace mig::e2e {

Courier::Courier(const Lab& lab) {
  LinkOptions options;
  options.host = "127.0.0.1";
  options.port = RelayPort(lab);
  options.tls = IssueCertificate(lab, CaOf(lab, "servers-ca"), {"scheduler", "courier-1"});
  options.client_id = "courier-1";
  options.clean_start = true;
  options.session_expiry = std::chrono::seconds(0);
  LinkHandlers handlers;
  handlers.connected = [this](bool) { connected_ = true; };
  handlers.message = [this](std::string_view topic, BytesView payload) {
    OnMessage(topic, payload);
  };
  handlers.lost = [](const Error&) {};
  link_ = std::make_unique<MqttLink>(io_, options, std::move(handlers));
  link_->Subscribe({std::string(topics::kUpFilter)});
  link_->Start();
  REQUIRE(RunUntil(std::chrono::seconds(10), [&] { return connected_; }));
}

void Courier::OnMessage(std::string_view topic, BytesView payload) {
  const auto up = topics::ParseUp(topic);
  if (!up || up->kind != topics::UpKind::kResult) return;
  auto envelope = DecodeEnvelope(payload);
  REQUIRE(envelope);
  if (envelope->payload_type == kReceiptType) {
    auto receipt = DecodeReceipt(envelope->payload);
    REQUIRE(receipt);
    if (receipt->state == "received") return;
    answers_[receipt->action].push_back({receipt->state, receipt->code, receipt->detail});
  } else if (envelope->payload_type == kResultType) {
    auto part = DecodeResultPart(envelope->payload);
    REQUIRE(part);
    if (!part->last) return;
    ++final_parts_[part->action];
    answers_[part->action].push_back({std::string(CommandStatusName(*part->status)), "", ""});
  }
}

void Courier::SendRaw(const std::string& topic, Bytes payload) {
  bool done = false;
  link_->Publish(topic, std::move(payload), 1, std::chrono::seconds(60), false,
                 [&](Expected<void> outcome) {
                   CHECK(outcome);
                   done = true;
                 });
  REQUIRE(RunUntil(std::chrono::seconds(10), [&] { return done; }));
}

void Courier::SendCommand(const AgentId& agent, const Envelope& action) {
  SendRaw(topics::Command(agent), EncodeCommand({EnvelopeToJson(action)}));
}

void Courier::SendPolicy(const AgentId& agent, const Deployment& deployment, const Policy& policy) {
  PolicyUpdate update;
  update.roots.push_back(EnvelopeToJson(deployment.root_document));
  update.policy = EnvelopeToJson(Seal(kPolicyType, EncodePolicy(policy), deployment.root));
  SendRaw(topics::Control(agent), EncodeControl(update));
}

bool Courier::RunUntil(std::chrono::seconds deadline, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    io_.restart();
    io_.run_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::optional<Courier::Answer> Courier::WaitForAnswer(const ActionId& action,
                                                      std::chrono::seconds deadline) {
  const auto terminal = [&]() -> const Answer* {
    for (const Answer& answer : answers_[action]) {
      if (answer.state != "started") return &answer;
    }
    return nullptr;
  };
  if (!RunUntil(deadline, [&] { return terminal() != nullptr; })) return std::nullopt;
  return *terminal();
}

int Courier::FinalParts(const ActionId& action) const {
  const auto found = final_parts_.find(action);
  return found == final_parts_.end() ? 0 : found->second;
}

}  // namespace mig::e2e
