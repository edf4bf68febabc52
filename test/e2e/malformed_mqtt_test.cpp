// What is no MQTT, sent to a lab's relay by a client with a good certificate: each such client is
// told why, where the protocol has a word for it, and closed; the relay and everybody else go on.
#include <catch2/catch.hpp>

#include "proto/topics.h"
#include "test/e2e/deployment.h"
#include "test/net/mqtt_client.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::string_literals;

namespace {

const Bytes kNoProperties(1, '\0');

MqttClient::Tls FilesOf(const LinkTls& tls) {
  return {tls.ca_file, tls.certificate_file, tls.key_file};
}

// A fixed header with the length of what follows.
Bytes Framed(int first, std::string_view body) {
  REQUIRE(body.size() < 128);
  Bytes packet;
  packet += static_cast<char>(first);
  packet += static_cast<char>(body.size());
  packet += body;
  return packet;
}

// Two bytes of length, and the text.
Bytes Text(std::string_view text) {
  Bytes field;
  field += static_cast<char>(text.size() >> 8);
  field += static_cast<char>(text.size() & 0xff);
  field += text;
  return field;
}

Bytes Connect(std::string_view protocol, int version, int flags, std::string_view properties,
              std::string_view client_id) {
  Bytes body = Text(protocol);
  body += static_cast<char>(version);
  body += static_cast<char>(flags);
  body += Bytes(2, '\0');  // keep-alive
  body += properties;
  body += client_id;
  return Framed(0x10, body);
}

struct Case {
  const char* what;
  Bytes bytes;
  int reason;  // of CONNACK or DISCONNECT; 0: closed without a word
};

// What a connection comes to on which these bytes are sent: the reason the relay gives, 0 for none.
// Closed it must be.
int EndOf(MqttClient& client, BytesView bytes) {
  client.SendBytes(bytes);
  int reason = 0;
  while (auto packet = client.Read()) {
    if (const auto* refused = std::get_if<mqtt::ConnAck>(&*packet)) reason = refused->code;
    if (const auto* bye = std::get_if<mqtt::Disconnect>(&*packet)) {
      reason = static_cast<int>(bye->reason);
    }
  }
  return reason;
}

}  // namespace

TEST_CASE("malformed: what is no MQTT is answered with a reason or closed, and the relay lives",
          "[e2e]") {
  const Lab lab(2);
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const int pid = lab.PidOf("relay");
  const std::uint16_t port = RelayPort(lab);
  const MqttClient::Tls tls = FilesOf(CertificateOf(lab, 2));
  const std::string id = AgentOf(lab, 2).Text();

  // Who does not begin with CONNECT gets no answer: it may not be MQTT that he speaks.
  const std::vector<Case> before_connect = {
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", 0},
      {"PINGREQ", "\xc0\0"s, 0},
      {"PUBLISH", "\x30\3\0\1A"s, 0},
      {"a length of five bytes", "\x10\xff\xff\xff\xff\1", 0},
      {"CONNECT above its bound", "\x10\xff\xff\xff\x7f", 0},
      {"reserved flags of CONNECT", Connect("MQTT", 5, 3, kNoProperties, Text("a")), 0x81},
      {"a client identifier that is not UTF-8",
       Connect("MQTT", 5, 2, kNoProperties, Text("\xff\xfe")), 0x81},
      {"a client identifier longer than the packet",
       Connect("MQTT", 5, 2, kNoProperties,
               "\xff\xff"
               "a"),
       0x81},
      {"properties longer than the packet", Connect("MQTT", 5, 2, "\x50", Text("a")), 0x81},
      {"an unknown property", Connect("MQTT", 5, 2, "\2\x7f\1", Text("a")), 0x81},
      {"a property that stands twice",
       Connect("MQTT", 5, 2, "\x0a\x11\0\0\0\1\x11\0\0\0\1"s, Text("a")), 0x82},
      {"a will that is not there", Connect("MQTT", 5, 6, kNoProperties, Text("a")), 0x81},
  };
  for (const Case& sent : before_connect) {
    INFO(sent.what);
    MqttClient client(port, tls);
    CHECK(EndOf(client, sent.bytes) == sent.reason);
  }
  // Whoever speaks another version is answered in the oldest one.
  for (const Bytes& connect :
       {Connect("MQTTS", 4, 2, "", Text("a")), Connect("MQIsdp", 3, 2, "", Text("a")),
        Connect("MQTT", 99, 2, "", Text("a"))}) {
    MqttClient client(port, tls, mqtt::Version::k311);
    CHECK(EndOf(client, connect) == 1);
  }

  const std::vector<Case> after_connect = {
      {"a second CONNECT", Connect("MQTT", 5, 2, kNoProperties, Text("a")), 0x82},
      {"a packet type that is reserved", "\0\0"s, 0x81},
      {"CONNACK, which only a server says", Framed(0x20, "\0\0\0"s), 0x82},
      {"reserved flags of SUBSCRIBE", Framed(0x80, "\0\1"s + Text("a") + "\1"), 0x81},
      {"SUBSCRIBE to nothing", Framed(0x82, "\0\1\0"s), 0x82},
      {"SUBSCRIBE without an identifier", Framed(0x82, "\0\0\0"s + Text("a") + "\1"), 0x82},
      {"SUBSCRIBE at QoS 3", Framed(0x82, "\0\1\0"s + Text("a") + "\3"), 0x81},
      {"PUBLISH at QoS 3", Framed(0x36, Text("a") + "\0\1\0"s), 0x81},
      {"PUBLISH without a topic", Framed(0x30, Text("") + "\0"s), 0x82},
      {"PUBLISH to a wildcard", Framed(0x30, Text("a/#") + "\0"s), 0x90},
      {"PUBLISH to a topic that is not UTF-8", Framed(0x30, Text("\xff\xfe") + "\0"s), 0x81},
      {"a topic longer than the packet",
       Framed(0x30,
              "\xff\xff"
              "a"),
       0x81},
      {"a topic with a zero byte", Framed(0x30, Text("a\0b"s) + "\0"s), 0x81},
      {"properties longer than the packet", Framed(0x30, Text("a") + "\x7f\1"), 0x81},
      {"a length in more bytes than it takes", "\xc0\x80\x80\x80\0"s, 0x81},
      {"a packet above the bound", "\x30\xff\xff\xff\x7f", 0x95},
  };
  for (const Case& sent : after_connect) {
    INFO(sent.what);
    MqttClient client(port, tls);
    REQUIRE(client.Connect(id).code == 0);
    CHECK(EndOf(client, sent.bytes) == sent.reason);
    // The older version has no word for it, and no properties.
    if (std::string_view(sent.what).starts_with("properties")) continue;
    MqttClient older(port, tls, mqtt::Version::k311);
    REQUIRE(older.Connect(id).code == 0);
    CHECK(EndOf(older, sent.bytes) == 0);
  }

  // Half a packet, and gone.
  for (const Bytes& half : {Bytes("\x30"), Bytes("\x30\xff"), "\x82\7\0\1\0\0"s}) {
    MqttClient client(port, tls);
    REQUIRE(client.Connect(id).code == 0);
    client.SendBytes(half);
  }

  CHECK(lab.LogSays("relay", "the first packet is not CONNECT"));
  CHECK(lab.PidOf("relay") == pid);
  CHECK(lab.Log("agent-1").find("relay lost") == std::string::npos);
  const Outcome asked = lab.Mig({"query", "example", "-t", "name = 'agent-1'", "-gethostname"});
  INFO(asked.err);
  CHECK(asked.status == 0);
}
