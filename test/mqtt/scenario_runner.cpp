#include "test/mqtt/scenario_runner.h"

#include <algorithm>
#include <deque>
#include <map>

#include "mqtt/codec.h"
#include "test/mqtt/client_rules.h"
#include "test/mqtt/scenario_packet.h"
#include "util/encoding.h"

namespace mig::mqtt {
namespace {

// Something was not as the scenario says.
struct Deviation {
  std::string what;
};

struct Client {
  std::string name;  // also its client identifier, unless the scenario says another
  Version version{};
  int connection = -1;
  bool open = false;
  bool connected = false;
  std::optional<ClientRules> rules;
  std::deque<Packet> inbox;
  bool end_seen = false;        // the broker closed; the packets before it are in the inbox
  std::uint16_t counter = 0;    // of packet identifiers
  std::uint16_t last_sent = 0;  // of its last PUBLISH, SUBSCRIBE or UNSUBSCRIBE
  std::uint16_t last_got = 0;   // of the last PUBLISH that came
};

class Runner {
 public:
  Runner(const Scenario& scenario, Version version, ScenarioBroker& broker)
      : scenario_(scenario), version_(version), broker_(broker) {}

  std::optional<std::string> Run() {
    int line = scenario_.line;
    std::string text = scenario_.title;
    try {
      for (const Step& step : scenario_.steps) {
        if (step.only && *step.only != version_) continue;
        line = step.line;
        text = step.text;
        Take(step);
      }
      text = "(the end)";
      CheckNothingIsLeft();
      return std::nullopt;
    } catch (const Deviation& deviation) {
      return Report(line, text, deviation.what);
    } catch (const std::runtime_error& error) {
      return Report(line, text, error.what());
    }
  }

 private:
  std::string Report(int line, const std::string& text, const std::string& what) const {
    return scenario_.file.filename().string() + ":" + std::to_string(line) + ": `" +
           scenario_.title + "` in " + std::string(VersionName(version_)) + "\n  step: " + text +
           "\n  " + what + "\n  packets:\n" + transcript_;
  }

  void Note(const Client& client, std::string_view arrow, std::string_view what) {
    transcript_ += "    " + client.name + " " + std::string(arrow) + " " + std::string(what) + "\n";
  }

  Client& Find(const std::string& name) {
    const auto alias = names_.find(name);
    const std::string& real = alias == names_.end() ? name : alias->second;
    Client& client = clients_[real];
    if (client.name.empty()) {
      client.name = real;
      client.version = version_;
    }
    return client;
  }

  // The step's one client, or, of one that connects, whoever it is.
  void Take(const Step& step) {
    using Kind = Step::Kind;
    switch (step.kind) {
      case Kind::kSpeaks:
        Find(step.client).version = step.version;
        return;
      case Kind::kOpens:
        return Open(Find(step.client));
      case Kind::kConnects:
        return Connect(Find(step.client), step.packet, false);
      case Kind::kResumes:
        return Connect(Find(step.client), step.packet, true);
      case Kind::kDrops:
        return Drop(Find(step.client));
      case Kind::kDisconnects: {
        Client& client = Find(step.client);
        SendText(client, step.packet);
        ExpectEnd(client);
        return;
      }
      case Kind::kSubscribes:
        return Subscribe(Find(step.client), step.packet);
      case Kind::kUnsubscribes:
        SendText(Find(step.client), step.packet);
        return ExpectSuccess<UnsubAck>(Find(step.client));
      case Kind::kPublishes:
        return PublishAll(Find(step.client), step.packet);
      case Kind::kReceives:
        return Receive(Find(step.client), step.packet);
      case Kind::kSends:
        return SendText(Find(step.client), step.packet);
      case Kind::kSendsBytes: {
        Client& client = Find(step.client);
        RequireOpen(client);
        Note(client, "->", "bytes " + EncodeHex(step.bytes));
        broker_.Send(client.connection, step.bytes);
        return;
      }
      case Kind::kGets:
        return Expect(Find(step.client), step.packet);
      case Kind::kGetsInAnyOrder:
        return ExpectAnywhere(Find(step.client), step.packet);
      case Kind::kGetsNothing:
        return ExpectNothing(Find(step.client));
      case Kind::kGetsClosed:
        return ExpectEnd(Find(step.client));
      case Kind::kIsRefused: {
        Client& client = Find(step.client);
        if (client.version == Version::k5) Expect(client, step.packet);
        return ExpectEnd(client);
      }
      case Kind::kOneGets:
        return ExpectOneOf(step);
      case Kind::kWaits:
        transcript_ += "    (" + std::to_string(step.time.count()) + " ms pass)\n";
        return broker_.Wait(step.time);
      case Kind::kIsKilled:
        transcript_ += "    (the broker is killed)\n";
        broker_.Kill();
        return ForgetConnections();
      case Kind::kIsRestarted:
        transcript_ += "    (the broker is stopped in order)\n";
        broker_.Restart();
        return ForgetConnections();
    }
  }

  void ForgetConnections() {
    for (auto& [name, client] : clients_) {
      client.open = client.connected = client.end_seen = false;
      client.inbox.clear();
    }
  }

  static void RequireOpen(const Client& client) {
    if (!client.open) throw Deviation{client.name + " is not connected; the scenario is wrong"};
  }

  void Open(Client& client) {
    if (client.open) throw Deviation{client.name + " is connected already; the scenario is wrong"};
    client.connection = broker_.Open(client.version);
    client.open = true;
    client.connected = client.end_seen = false;
    client.rules.emplace(client.version);
    client.inbox.clear();
  }

  void Drop(Client& client) {
    RequireOpen(client);
    Note(client, "->", "(drops)");
    broker_.Drop(client.connection);
    client.open = client.connected = false;
    client.inbox.clear();
  }

  Packet Build(const Client& client, const PacketText& text) {
    auto packet = BuildPacket(text, client.version, [this](const std::string& value) {
      if (!value.starts_with('$')) return value;
      const auto known = variables_.find(value);
      // An unknown one is bound by what comes (Expect).
      return known == variables_.end() ? std::string("0") : known->second;
    });
    if (!packet) throw Deviation{packet.error().message() + "; the scenario is wrong"};
    return std::move(*packet);
  }

  void Send(Client& client, const Packet& packet) {
    RequireOpen(client);
    Note(client, "->", DescribePacket(packet));
    client.rules->Sent(packet);
    broker_.Send(client.connection, Encode(packet, client.version));
  }

  // Sends what a line describes. A packet identifier that it does not name is the next one, or the
  // one of the exchange that is under way.
  void SendText(Client& client, const PacketText& text) {
    RequireOpen(client);
    Packet packet = Build(client, text);
    const PacketType type = TypeOf(packet);
    const auto* publish = std::get_if<Publish>(&packet);
    const bool begins = type == PacketType::kSubscribe || type == PacketType::kUnsubscribe ||
                        (publish != nullptr && publish->qos != Qos::kAtMostOnce);
    if (begins) {
      if (text.Find("id") == nullptr) SetPacketId(packet, ++client.counter);
      client.last_sent = PacketIdOf(packet);
    } else if (std::holds_alternative<Ack>(packet) && text.Find("id") == nullptr) {
      SetPacketId(packet, type == PacketType::kPubRel ? client.last_sent : client.last_got);
    }
    if (auto* connect = std::get_if<mqtt::Connect>(&packet)) {
      if (text.Find("client-id") == nullptr) connect->client_id = client.name;
    }
    Send(client, packet);
  }

  void Connect(Client& client, const PacketText& given, bool resume) {
    Open(client);
    PacketText text = given;
    if (resume && text.Find("clean-start") == nullptr && text.Find("kept") == nullptr) {
      text.fields.push_back({"kept", {}});
    }
    SendText(client, text);
    const Packet packet = Next(client);
    const auto* ack = std::get_if<ConnAck>(&packet);
    if (ack == nullptr || ack->code != 0 || ack->session_present != resume) {
      throw Deviation{"expected CONNACK of success, session " +
                      std::string(resume ? "present" : "not present")};
    }
  }

  void Subscribe(Client& client, const PacketText& text) {
    const Packet sent = Build(client, text);
    SendText(client, text);
    const Packet packet = Next(client);
    const auto* ack = std::get_if<SubAck>(&packet);
    const auto wanted = std::get<mqtt::Subscribe>(sent).entries.at(0).options.qos;
    if (ack == nullptr || ack->reasons != std::vector{static_cast<Reason>(wanted)}) {
      throw Deviation{"expected SUBACK that grants it"};
    }
  }

  template <typename T>
  void ExpectSuccess(Client& client) {
    const Packet packet = Next(client);
    const auto* ack = std::get_if<T>(&packet);
    if (ack == nullptr || ack->packet_id != client.last_sent ||
        std::ranges::any_of(ack->reasons, IsError)) {
      throw Deviation{"expected success"};
    }
  }

  void PublishAll(Client& client, const PacketText& text) {
    const Packet packet = Build(client, text);
    const Qos qos = std::get<Publish>(packet).qos;
    SendText(client, text);
    if (qos == Qos::kAtLeastOnce) ExpectAck(client, PacketType::kPubAck);
    if (qos == Qos::kExactlyOnce) {
      ExpectAck(client, PacketType::kPubRec);
      Send(client, Ack{PacketType::kPubRel, client.last_sent, Reason::kSuccess, {}});
      ExpectAck(client, PacketType::kPubComp);
    }
  }

  void ExpectAck(Client& client, PacketType type) {
    if (IsError(TakeAck(client, type, client.last_sent))) {
      throw Deviation{"expected " + std::string(PacketName(type)) + " of success"};
    }
  }

  // Takes this acknowledgement out of what comes; messages may come in between.
  Reason TakeAck(Client& client, PacketType type, std::uint16_t id) {
    const auto is_it = [&](const Packet& packet) {
      return TypeOf(packet) == type && PacketIdOf(packet) == id;
    };
    for (;;) {
      const auto found = std::ranges::find_if(client.inbox, is_it);
      if (found != client.inbox.end()) {
        const Reason reason = std::get<Ack>(*found).reason;
        client.inbox.erase(found);
        return reason;
      }
      if (!Fetch(client, true)) {
        throw Deviation{"expected " + std::string(PacketName(type)) + " id " + std::to_string(id)};
      }
    }
  }

  void Receive(Client& client, const PacketText& text) {
    Expect(client, text);
    const Packet expected = Build(client, text);
    const std::uint16_t id = client.last_got;
    const Qos qos = std::get<Publish>(expected).qos;
    if (qos == Qos::kAtLeastOnce) Send(client, Ack{PacketType::kPubAck, id, Reason::kSuccess, {}});
    if (qos != Qos::kExactlyOnce) return;
    Send(client, Ack{PacketType::kPubRec, id, Reason::kSuccess, {}});
    TakeAck(client, PacketType::kPubRel, id);
    Send(client, Ack{PacketType::kPubComp, id, Reason::kSuccess, {}});
  }

  // Takes in the next thing that came. False: nothing came, or the end.
  bool Fetch(Client& client, bool patient) {
    RequireOpen(client);
    if (client.end_seen) return false;
    ScenarioBroker::Event event = broker_.Read(client.connection, patient);
    if (std::holds_alternative<ScenarioBroker::Closed>(event)) {
      Note(client, "<-", "(closed)");
      client.end_seen = true;
      return false;
    }
    auto* arrived = std::get_if<ScenarioBroker::Arrived>(&event);
    if (arrived == nullptr) return false;
    Note(client, "<-", DescribePacket(arrived->packet));
    if (auto broken = client.rules->Got(arrived->packet, arrived->bytes); !broken.empty()) {
      throw Deviation{"the broker sent " + broken};
    }
    client.connected = client.rules->connected();
    client.inbox.push_back(std::move(arrived->packet));
    return true;
  }

  Packet Next(Client& client) {
    RequireOpen(client);
    if (client.inbox.empty()) Fetch(client, true);
    if (client.inbox.empty()) {
      throw Deviation{client.end_seen ? "the broker closed the connection" : "nothing came"};
    }
    Packet packet = std::move(client.inbox.front());
    client.inbox.pop_front();
    if (const auto* publish = std::get_if<Publish>(&packet);
        publish != nullptr && publish->packet_id != 0) {
      client.last_got = publish->packet_id;
    }
    return packet;
  }

  // What differs; the packet identifier included.
  std::string DifferenceOf(Client& client, const PacketText& text, Packet actual) {
    if (auto* publish = std::get_if<Publish>(&actual);
        publish != nullptr && text.Find("alias") == nullptr) {
      // The scenario is not about aliases: it sees the topic.
      publish->topic = client.rules->TopicOf(*publish);
      Properties others;
      for (const Property& property : publish->properties) {
        if (property.id != PropertyId::kTopicAlias) others.Add(property);
      }
      publish->properties = std::move(others);
    }
    std::string difference = Difference(text, Build(client, text), actual);
    if (!difference.empty()) return difference;
    const std::uint16_t id = PacketIdOf(actual);
    if (const auto* field = text.Find("id")) {
      const std::string& value = field->values[0];
      if (value.starts_with('$') && !variables_.contains(value)) {
        variables_[value] = std::to_string(id);
        return {};
      }
      const std::string wanted = value.starts_with('$') ? variables_.at(value) : value;
      return wanted == std::to_string(id) ? "" : "expected id " + wanted;
    }
    if (std::holds_alternative<Publish>(actual) || id == 0) return {};
    const bool of_theirs = TypeOf(actual) == PacketType::kPubRel;
    const std::uint16_t wanted = of_theirs ? client.last_got : client.last_sent;
    return wanted == id ? "" : "expected id " + std::to_string(wanted);
  }

  void Expect(Client& client, const PacketText& text) {
    Packet packet = Next(client);
    if (auto difference = DifferenceOf(client, text, std::move(packet)); !difference.empty()) {
      throw Deviation{difference};
    }
  }

  void ExpectAnywhere(Client& client, const PacketText& text) {
    for (std::size_t at = 0;; ++at) {
      if (at == client.inbox.size() && !Fetch(client, true)) {
        throw Deviation{"expected, at some time, " + DescribePacket(Build(client, text))};
      }
      if (!DifferenceOf(client, text, client.inbox[at]).empty()) continue;
      std::rotate(client.inbox.begin(), client.inbox.begin() + static_cast<std::ptrdiff_t>(at),
                  client.inbox.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      Next(client);
      return;
    }
  }

  // Sees to it that what was sent has had its effects, and takes in what came of it.
  void Settle() {
    for (int round = 0; round < (broker_.IsImmediate() ? 1 : 2); ++round) {
      for (auto& [name, client] : clients_) {
        if (!client.open || client.end_seen) continue;
        if (broker_.IsImmediate() || !client.connected) {
          while (Fetch(client, false)) {
          }
          continue;
        }
        client.rules->Sent(PingReq{});
        broker_.Send(client.connection, Encode(PingReq{}, client.version));
        const auto is_ping = [](const Packet& p) { return std::holds_alternative<PingResp>(p); };
        while (client.inbox.empty() || !is_ping(client.inbox.back())) {
          if (!Fetch(client, true)) break;
        }
        if (!client.inbox.empty() && is_ping(client.inbox.back())) client.inbox.pop_back();
      }
      // What waits for the store is not before a PINGRESP.
      if (!broker_.IsImmediate() && round == 0) broker_.Wait(kCommitTime);
    }
  }

  void ExpectNothing(Client& client) {
    Settle();
    if (!client.inbox.empty()) {
      throw Deviation{"expected nothing; came " + DescribePacket(client.inbox.front())};
    }
    if (client.end_seen) throw Deviation{"expected nothing; the broker closed the connection"};
  }

  void ExpectEnd(Client& client) {
    RequireOpen(client);
    if (client.inbox.empty()) Fetch(client, true);
    if (!client.inbox.empty()) {
      throw Deviation{"expected the end; came " + DescribePacket(client.inbox.front())};
    }
    if (!client.end_seen) throw Deviation{"the broker does not close the connection"};
    client.open = client.connected = false;
  }

  void ExpectOneOf(const Step& step) {
    // Whoever has something, in turn; the last time everybody has had time.
    std::string winner;
    for (int round = 0; round < 3 && winner.empty(); ++round) {
      if (round > 0) Settle();
      for (const std::string& name : step.clients) {
        Client& client = Find(name);
        RequireOpen(client);
        if (client.inbox.empty()) Fetch(client, false);
        if (client.inbox.empty()) continue;
        winner = client.name;
        break;
      }
    }
    if (winner.empty()) throw Deviation{"nobody got anything"};
    names_[step.winner] = winner;
    for (const std::string& name : step.clients) {
      if (!step.other.empty() && Find(name).name != winner) names_[step.other] = Find(name).name;
    }
    Expect(Find(step.winner), step.packet);
  }

  void CheckNothingIsLeft() {
    Settle();
    for (const auto& [name, client] : clients_) {
      if (!client.open) continue;
      if (!client.inbox.empty()) {
        throw Deviation{"more came for " + name + ": " + DescribePacket(client.inbox.front())};
      }
      if (client.end_seen) throw Deviation{"the broker closed the connection of " + name};
    }
  }

  // A group commit takes up to 5 ms and a sync of the disk.
  static constexpr std::chrono::milliseconds kCommitTime{25};

  const Scenario& scenario_;
  const Version version_;
  ScenarioBroker& broker_;
  std::map<std::string, Client> clients_;
  std::map<std::string, std::string> names_;      // given by kOneGets
  std::map<std::string, std::string> variables_;  // by name, `$` included
  std::string transcript_;
};

}  // namespace

std::optional<std::string> RunScenario(const Scenario& scenario, Version version,
                                       ScenarioBroker& broker) {
  return Runner(scenario, version, broker).Run();
}

}  // namespace mig::mqtt
