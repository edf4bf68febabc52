// MQTT packets in: nothing crashes, and what is accepted survives being written and read again.
// The first byte picks the version of the connection.
#include <cstdint>
#include <string_view>

#include "mqtt/codec.h"
#include "mqtt/topic.h"
#include "test/fuzz/require.h"

using namespace mig::mqtt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Version connection = (data[0] & 1) != 0 ? Version::k5 : Version::k311;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto header = ReadFixedHeader(bytes);
  const auto packet = Decode(bytes, connection);
  if (packet) {
    mig::fuzz::Require(header && *header && (*header)->PacketBytes() == bytes.size(),
                       "a packet is as long as its header says");
    const auto* connect = std::get_if<Connect>(&*packet);
    const Version version = connect == nullptr ? connection : connect->version;
    const auto again = Decode(Encode(*packet, version), version);
    mig::fuzz::Require(again && *again == *packet, "a packet written reads the same");
  }
  // The same bytes as a list of properties, which a relay also reads from its store.
  for (const PropertyPlace place : {PropertyPlace::kPublish, PropertyPlace::kWill}) {
    const auto properties = DecodeProperties(bytes, place);
    if (!properties) continue;
    mig::Bytes list;
    AppendPropertyList(list, *properties);
    const auto again = DecodeProperties(list, place);
    mig::fuzz::Require(again && *again == *properties, "properties written read the same");
  }
  // The same bytes as a filter and a name, cut at the first newline.
  const std::string_view filter = bytes.substr(0, bytes.find('\n'));
  const std::string_view name = bytes.substr(std::min(filter.size() + 1, bytes.size()));
  if (CheckFilter(filter) && CheckTopicName(name)) {
    const auto shared = SplitShared(filter);
    const std::string_view plain = shared ? shared->filter : filter;
    if (Matches(plain, name)) {
      mig::fuzz::Require(CheckFilter(name) && (SplitShared(name) || Covers(plain, name)),
                         "a filter covers the names that it matches");
    }
  }
  return 0;
}
