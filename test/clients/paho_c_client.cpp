// The script of README.md with Paho MQTT C, its synchronous interface:
//   paho_c_client URL 3|5
// Exit status 0 when all went as it should; else it says what did not.
#include <MQTTClient.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

std::string address;
bool is_5 = false;
const char* step = "start";

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", step, what);
  std::exit(1);
}
#define CHECK(condition) Check((condition), #condition)

struct Message {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retained = false;
};

class Client {
 public:
  explicit Client(const std::string& name) {
    MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
    options.MQTTVersion = is_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    CHECK(MQTTClient_createWithOptions(&client_, address.c_str(), name.c_str(),
                                       MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options) == 0);
  }
  ~Client() { MQTTClient_destroy(&client_); }
  Client(const Client&) = delete;

  // True if the relay knew a session.
  bool Connect(bool keep = false, const char* will = nullptr) {
    const bool known = DoConnect(keep, will);
    keep_ = keep;
    return known;
  }

  void Subscribe(const char* filter, int qos) {
    if (!is_5) return CHECK(MQTTClient_subscribe(client_, filter, qos) == 0);
    MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
    MQTTResponse response = MQTTClient_subscribe5(client_, filter, qos, &options, nullptr);
    CHECK(static_cast<int>(response.reasonCode) == qos);
    MQTTResponse_free(response);
  }

  void Publish(const char* topic, const std::string& payload, int qos, bool retained = false) {
    MQTTClient_message message = MQTTClient_message_initializer;
    message.payload = const_cast<char*>(payload.data());
    message.payloadlen = static_cast<int>(payload.size());
    message.qos = qos;
    message.retained = retained ? 1 : 0;
    MQTTClient_deliveryToken token = 0;
    if (is_5) {
      MQTTResponse response = MQTTClient_publishMessage5(client_, topic, &message, &token);
      CHECK(response.reasonCode == MQTTREASONCODE_SUCCESS);
      MQTTResponse_free(response);
    } else {
      CHECK(MQTTClient_publishMessage(client_, topic, &message, &token) == 0);
    }
    if (qos > 0) CHECK(MQTTClient_waitForCompletion(client_, token, 10'000) == 0);
  }

  // The next message within `milliseconds`; an empty topic: none.
  Message Receive(unsigned long milliseconds = 10'000) {
    char* topic = nullptr;
    int topic_size = 0;
    MQTTClient_message* message = nullptr;
    const int code = MQTTClient_receive(client_, &topic, &topic_size, &message, milliseconds);
    CHECK(code == MQTTCLIENT_SUCCESS || code == MQTTCLIENT_TOPICNAME_TRUNCATED);
    if (message == nullptr) return {};
    Message taken{topic,
                  std::string(static_cast<char*>(message->payload),
                              static_cast<std::size_t>(message->payloadlen)),
                  message->qos, message->retained != 0};
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return taken;
  }

  void Disconnect() {
    const int code = is_5 ? MQTTClient_disconnect5(client_, 1000, MQTTREASONCODE_SUCCESS, nullptr)
                          : MQTTClient_disconnect(client_, 1000);
    CHECK(code == 0);
  }

 private:
  bool DoConnect(bool keep, const char* will) {
    MQTTClient_willOptions last = MQTTClient_willOptions_initializer;
    last.topicName = "will";
    last.message = will;
    last.qos = 2;
    if (!is_5) {
      MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
      options.MQTTVersion = MQTTVERSION_3_1_1;
      options.cleansession = keep ? 0 : 1;
      if (will != nullptr) options.will = &last;
      CHECK(MQTTClient_connect(client_, &options) == 0);
      return options.returned.sessionPresent != 0;
    }
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
    options.cleanstart = keep ? 0 : 1;
    if (will != nullptr) options.will = &last;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry;
    expiry.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL;
    expiry.value.integer4 = keep ? 600 : 0;
    MQTTProperties_add(&properties, &expiry);
    MQTTProperties none = MQTTProperties_initializer;
    MQTTResponse response = MQTTClient_connect5(client_, &options, &properties, &none);
    CHECK(response.reasonCode == MQTTREASONCODE_SUCCESS);
    MQTTResponse_free(response);
    MQTTProperties_free(&properties);
    return keep_ && keep;  // 1.3.12 does not tell what CONNACK says of it in version 5
  }

  MQTTClient client_ = nullptr;
  bool keep_ = false;
};

void InOrder() {
  step = "messages of each QoS in order";
  Client subscriber("c-sub"), publisher("c-pub");
  subscriber.Connect();
  publisher.Connect();
  subscriber.Subscribe("order/+", 2);
  for (int qos = 0; qos <= 2; ++qos) {
    const std::string topic = "order/" + std::to_string(qos);
    for (int i = 0; i < 5; ++i) publisher.Publish(topic.c_str(), std::to_string(i), qos);
    for (int i = 0; i < 5; ++i) {
      const Message message = subscriber.Receive();
      CHECK(message.topic == topic);
      CHECK(message.payload == std::to_string(i));
      CHECK(message.qos == qos);
      CHECK(!message.retained);
    }
  }
}

void Retained() {
  step = "retained messages";
  Client publisher("c-pub"), first("c-first"), second("c-second");
  publisher.Connect();
  first.Connect();
  second.Connect();
  publisher.Publish("kept", "remembered", 1, true);
  first.Subscribe("kept", 1);
  const Message message = first.Receive();
  CHECK(message.payload == "remembered");
  CHECK(message.retained);
  publisher.Publish("kept", "", 1, true);
  second.Subscribe("kept", 1);
  CHECK(second.Receive(300).topic.empty());
}

// `dying` connected with a will and is killed.
void Will(pid_t dying, int connected) {
  step = "a will";
  char byte = 0;
  CHECK(read(connected, &byte, 1) == 1);
  Client watcher("c-watch");
  watcher.Connect();
  watcher.Subscribe("will", 2);
  kill(dying, SIGKILL);
  const Message message = watcher.Receive();
  CHECK(message.topic == "will");
  CHECK(message.payload == "gone");
  CHECK(message.qos == 2);
}

void Shared() {
  step = "shared subscribers";
  Client one("c-one"), two("c-two"), publisher("c-pub");
  one.Connect();
  two.Connect();
  publisher.Connect();
  one.Subscribe("$share/g/work", 1);
  two.Subscribe("$share/g/work", 1);
  for (int i = 0; i < 10; ++i) publisher.Publish("work", std::to_string(i), 1);
  int shares[2] = {0, 0};
  for (int i = 0; i < 5; ++i) {  // each has its half
    if (one.Receive().topic == "work") ++shares[0];
    if (two.Receive().topic == "work") ++shares[1];
  }
  CHECK(shares[0] == 5);
  CHECK(shares[1] == 5);
}

void Resumed() {
  step = "a session that is resumed";
  Client keeper("c-keep"), publisher("c-pub");
  CHECK(!keeper.Connect(true));
  keeper.Subscribe("wait/#", 2);
  keeper.Disconnect();
  publisher.Connect();
  for (int i = 0; i < 10; ++i) publisher.Publish("wait/x", std::to_string(i), 1 + i % 2);
  CHECK(keeper.Connect(true));
  int next[] = {0, 0, 1};  // ordered within each QoS: clients hold QoS 2 back until it is released
  for (int i = 0; i < 10; ++i) {
    const Message message = keeper.Receive();
    CHECK(message.qos == 1 || message.qos == 2);
    CHECK(message.payload == std::to_string(next[message.qos]));
    next[message.qos] += 2;
  }
  keeper.Disconnect();
  CHECK(!keeper.Connect(false));  // and is no more
  keeper.Disconnect();
  CHECK(!keeper.Connect(true));
  keeper.Disconnect();
  keeper.Connect(false);  // leaves nothing behind
  keeper.Disconnect();
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  address = words[1];
  is_5 = std::strcmp(words[2], "5") == 0;
  int connected[2];
  CHECK(pipe(connected) == 0);
  const pid_t dying = fork();  // before Paho has threads
  if (dying == 0) {
    Client client("c-dying");
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
  return 0;
}
