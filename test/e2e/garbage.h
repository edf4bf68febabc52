// Texts that are no document of ours, for whoever reads documents.
#pragma once

#include <string>
#include <vector>

namespace mig::e2e {

inline std::string Repeated(const std::string& what, std::size_t times) {
  std::string text;
  while (times-- > 0) text += what;
  return text;
}

// None of them is a JSON object with what any of our documents needs.
inline std::vector<std::string> NoDocuments() {
  using namespace std::string_literals;
  return {"{",
          "[]",
          "null",
          "7",
          "\"text\"",
          "{}",
          "{}{}",
          "{\"a\":1,\"a\":2}",
          "{\"payload\":7}",
          "{\"payloadType\":\"x\",\"payload\":\"!\",\"signatures\":[]}",
          "{\"payloadType\":\"x\",\"payload\":\"e30=\",\"signatures\":{}}",
          "{\"payloadType\":\"x\",\"payload\":\"e30=\",\"signatures\":[7]}",
          "{\"n\":NaN}",
          "{\"n\":1e999999}",
          "\xff\xfe",
          "{\"a\":\"\xc3\x28\"}",
          "{\"a\":\"\\ud800\"}",
          "\0\0\0\0"s,
          Repeated("[", 30'000),
          Repeated("{\"a\":", 5'000)};
}

}  // namespace mig::e2e
