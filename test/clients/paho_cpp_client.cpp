// The script of README.md with Paho MQTT C++:
//   paho_cpp_client URL 3|5
// Exit status 0 when all went as it should; else it says what did not.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "mqtt/async_client.h"

namespace {

using namespace std::chrono_literals;

std::string address;
bool is_5 = false;
const char* step = "start";

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", step, what);
  std::exit(1);
}
#define CHECK(condition) Check((condition), #condition)

constexpr auto kPatience = 10s;

class Client {
 public:
  explicit Client(const std::string& name)
      : client_(address, name, mqtt::create_options(is_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1)) {
    client_.start_consuming();
  }

  // True if the relay knew a session.
  bool Connect(bool keep = false, const char* will = nullptr) {
    mqtt::connect_options options;
    if (is_5) {
      options.set_mqtt_version(MQTTVERSION_5);
      options.set_clean_start(!keep);
      options.set_properties({{mqtt::property::SESSION_EXPIRY_INTERVAL, keep ? 600 : 0}});
    } else {
      options.set_mqtt_version(MQTTVERSION_3_1_1);
      options.set_clean_session(!keep);
    }
    if (will != nullptr)
      options.set_will(mqtt::will_options("will", will, std::strlen(will), 2, false));
    auto token = client_.connect(options);
    CHECK(token->wait_for(kPatience));
    return token->get_connect_response().is_session_present();
  }

  void Subscribe(const std::string& filter, int qos) {
    CHECK(client_.subscribe(filter, qos)->wait_for(kPatience));
  }

  void Publish(const std::string& topic, const std::string& payload, int qos,
               bool retained = false) {
    CHECK(
        client_.publish(topic, payload.data(), payload.size(), qos, retained)->wait_for(kPatience));
  }

  // The next message; null: none in time.
  mqtt::const_message_ptr Receive(std::chrono::milliseconds limit = kPatience) {
    mqtt::const_message_ptr message;
    client_.try_consume_message_for(&message, limit);
    return message;
  }

  void Disconnect() { CHECK(client_.disconnect()->wait_for(kPatience)); }

 private:
  mqtt::async_client client_;
};

void InOrder() {
  step = "messages of each QoS in order";
  Client subscriber("cpp-sub"), publisher("cpp-pub");
  subscriber.Connect();
  publisher.Connect();
  subscriber.Subscribe("order/+", 2);
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string topic = "order/" + std::to_string(qos);
    for (int i = 0; i < 5; ++i) publisher.Publish(topic, std::to_string(i), qos);
    for (int i = 0; i < 5; ++i) {
      const auto message = subscriber.Receive();
      CHECK(message != nullptr);
      CHECK(message->get_topic() == topic);
      CHECK(message->to_string() == std::to_string(i));
      CHECK(message->get_qos() == qos);
      CHECK(!message->is_retained());
    }
  }
}

void Retained() {
  step = "retained messages";
  Client publisher("cpp-pub"), first("cpp-first"), second("cpp-second");
  publisher.Connect();
  first.Connect();
  second.Connect();
  publisher.Publish("kept", "remembered", 1, true);
  first.Subscribe("kept", 1);
  const auto message = first.Receive();
  CHECK(message != nullptr);
  CHECK(message->to_string() == "remembered");
  CHECK(message->is_retained());
  publisher.Publish("kept", "", 1, true);
  second.Subscribe("kept", 1);
  CHECK(second.Receive(300ms) == nullptr);
}

// `dying` connected with a will and is killed.
void Will(pid_t dying, int connected) {
  step = "a will";
  char byte = 0;
  CHECK(read(connected, &byte, 1) == 1);
  Client watcher("cpp-watch");
  watcher.Connect();
  watcher.Subscribe("will", 2);
  kill(dying, SIGKILL);
  const auto message = watcher.Receive();
  CHECK(message != nullptr);
  CHECK(message->to_string() == "gone");
  CHECK(message->get_qos() == 2);
}

void Shared() {
  step = "shared subscribers";
  Client one("cpp-one"), two("cpp-two"), publisher("cpp-pub");
  one.Connect();
  two.Connect();
  publisher.Connect();
  one.Subscribe("$share/g/work", 1);
  two.Subscribe("$share/g/work", 1);
  for (int i = 0; i < 10; ++i) publisher.Publish("work", std::to_string(i), 1);
  for (int i = 0; i < 5; ++i) {  // each has its half
    CHECK(one.Receive() != nullptr);
    CHECK(two.Receive() != nullptr);
  }
}

void Resumed() {
  step = "a session that is resumed";
  Client publisher("cpp-pub");
  publisher.Connect();
  Client keeper("cpp-keep");
  CHECK(!keeper.Connect(true));
  keeper.Subscribe("wait/#", 2);
  keeper.Disconnect();
  for (int i = 0; i < 10; ++i) publisher.Publish("wait/x", std::to_string(i), 1 + i % 2);
  Client again("cpp-keep");  // consuming ends with the connection
  CHECK(again.Connect(true));
  int next[] = {0, 0, 1};  // ordered within each QoS: clients hold QoS 2 back until it is released
  for (int i = 0; i < 10; ++i) {
    const auto message = again.Receive();
    CHECK(message != nullptr);
    const int qos = message->get_qos();
    CHECK(qos == 1 || qos == 2);
    CHECK(message->to_string() == std::to_string(next[qos]));
    next[qos] += 2;
  }
  again.Disconnect();
  Client fresh("cpp-keep");
  CHECK(!fresh.Connect(false));  // and is no more
  fresh.Disconnect();
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  address = words[1];
  is_5 = std::string(words[2]) == "5";
  int connected[2];
  CHECK(pipe(connected) == 0);
  const pid_t dying = fork();  // before Paho has threads
  try {
    if (dying == 0) {
      Client client("cpp-dying");
      client.Connect(false, "gone");
      CHECK(write(connected[1], "!", 1) == 1);
      pause();
      return 0;
    }
    InOrder();
    Retained();
    Will(dying, connected[0]);
    Shared();
    Resumed();
  } catch (const mqtt::exception& error) {
    std::fprintf(stderr, "%s: %s\n", step, error.what());
    return 1;
  }
  return 0;
}
