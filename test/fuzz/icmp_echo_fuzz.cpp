// What a raw socket hears, while a module waits for the answer to its ping. Two bytes of choices,
// then the packet.
#include <cstdint>

#include "modules/icmp_echo.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  if (size == 0) return 0;
  const bool v6 = (data[0] & 1) != 0;
  const bool with_ip_header = !v6 && (data[0] & 2) != 0;
  const bool own_id = (data[0] & 4) != 0;
  const BytesView packet(reinterpret_cast<const char*>(data) + 1, size - 1);
  const EchoRequest request{v6, 0x1234, 7, "payload!"};
  if (ReadEchoAnswer(packet, request, with_ip_header, own_id) == EchoAnswer::kReply) {
    fuzz::Require(packet.find(request.payload) != BytesView::npos,
                  "an answer brings the payload back");
  }
  // Whatever was heard before: the right answer is recognised.
  Bytes answer = EncodeEchoRequest({v6, 0x1234, 7, Bytes(packet.substr(0, 64))});
  answer[0] = static_cast<char>(v6 ? 129 : 0);
  answer[2] = answer[3] = 0;
  if (!v6) {
    const std::uint16_t sum = InternetChecksum(answer);
    answer[2] = static_cast<char>(sum >> 8);
    answer[3] = static_cast<char>(sum & 0xff);
  }
  fuzz::Require(ReadEchoAnswer(answer, {v6, 0x1234, 7, Bytes(packet.substr(0, 64))}, false, true) ==
                    EchoAnswer::kReply,
                "a reply is a reply");
  return 0;
}
