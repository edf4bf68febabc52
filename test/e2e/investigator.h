// The lab's investigator at its API, call by call: a session, and requests that it signs, also such
// as no client of ours would send.
#pragma once

#include <memory>
#include <string>

#include "net/http_client.h"
#include "test/e2e/deployment.h"

namespace mig::e2e {

class Investigator {
 public:
  // Opens a session; the test fails where the API does not let it.
  explicit Investigator(const Lab& lab);

  // One signed request and its reply; the test fails where none comes.
  HttpReply Call(const std::string& method, const std::string& target, Bytes body = {},
                 const HttpHeaders& headers = {});
  // The same without a signature.
  HttpReply CallUnsigned(const std::string& method, const std::string& target, Bytes body = {},
                         const HttpHeaders& headers = {});

 private:
  HttpReply Send(HttpCall call);
  std::string url_;
  HttpClient http_;
  SecretKey session_;
  std::string session_id_;
};

}  // namespace mig::e2e
