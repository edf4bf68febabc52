#include "net/tls_handshakes.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <future>

#include "deployment.h"

namespace mig {
namespace {

using State = LinkStream::State;

// Both ends of a connection that has not begun to shake hands.
struct Pair {
  Pair(const TlsServerContext& context, const MqttClient::Tls& tls) {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    near = os::FileDescriptor(fds[0]);
    far = os::FileDescriptor(fds[1]);
    auto made = context.NewConnection(near.get());
    REQUIRE(made);
    stream.emplace(near.get(), *made);
    SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
    REQUIRE(SSL_CTX_use_certificate_file(client_context, tls.certificate_file.c_str(),
                                         SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(client_context, tls.key_file.c_str(), SSL_FILETYPE_PEM) ==
            1);
    client.reset(SSL_new(client_context), SSL_free);
    SSL_CTX_free(client_context);
    SSL_set_fd(client.get(), far.get());
    SSL_set_connect_state(client.get());
  }

  os::FileDescriptor near, far;
  std::optional<ServerStream> stream;
  std::shared_ptr<SSL> client;
};

TEST_CASE("TLS handshakes: many at once, each is told its own peer's name", "[net]") {
  Deployment d;
  auto context = TlsServerContext::Load(*d.Options().tls, {});
  REQUIRE(context);
  TlsHandshakes handshakes(3);
  constexpr int kConnections = 24;
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < kConnections; ++i) {
    const auto tls = d.Issue(d.agents_ca, "agent", "a" + std::to_string(i));
    pairs.push_back(std::make_unique<Pair>(**context, tls));
  }
  std::vector<std::string> names(kConnections);
  for (int turn = 0; turn < 10; ++turn) {
    std::vector<std::future<TlsHandshakes::Outcome>> answers;
    for (auto& pair : pairs) {
      SSL_do_handshake(pair->client.get());
      auto promise = std::make_shared<std::promise<TlsHandshakes::Outcome>>();
      answers.push_back(promise->get_future());
      handshakes.Step(*pair->stream, *context, [promise](TlsHandshakes::Outcome outcome) {
        promise->set_value(std::move(outcome));
      });
    }
    bool all = true;
    for (int i = 0; i < kConnections; ++i) {
      auto outcome = answers[static_cast<std::size_t>(i)].get();
      CHECK((outcome.state == State::kDone) == outcome.name.has_value());
      all = all && outcome.state == State::kDone;
      if (outcome.name && *outcome.name) names[static_cast<std::size_t>(i)] = (*outcome.name)->id;
    }
    if (all) break;
  }
  for (int i = 0; i < kConnections; ++i) {
    CHECK(names[static_cast<std::size_t>(i)] == "a" + std::to_string(i));
  }
}

TEST_CASE("TLS handshakes: who speaks no TLS is told from who waits", "[net]") {
  Deployment d;
  auto context = TlsServerContext::Load(*d.Options().tls, {});
  REQUIRE(context);
  TlsHandshakes handshakes(2);
  const auto step = [&](Pair& pair) {
    auto promise = std::make_shared<std::promise<TlsHandshakes::Outcome>>();
    auto answer = promise->get_future();
    handshakes.Step(*pair.stream, *context, [promise](TlsHandshakes::Outcome outcome) {
      promise->set_value(std::move(outcome));
    });
    return answer.get().state;
  };
  const auto tls = d.Issue(d.agents_ca, "agent", "a");
  Pair silent(**context, tls);
  CHECK(step(silent) == State::kWantRead);
  Pair plain(**context, tls);
  REQUIRE(write(plain.far.get(), "GET / HTTP/1.1\r\n\r\n", 18) == 18);
  CHECK(step(plain) == State::kClosed);
  CHECK_FALSE(plain.stream->problem().empty());
  Pair gone(**context, tls);
  gone.far = os::FileDescriptor();
  CHECK(step(gone) == State::kClosed);
}

TEST_CASE("TLS handshakes: when they have ended, nobody is answered any more", "[net]") {
  Deployment d;
  auto context = TlsServerContext::Load(*d.Options().tls, {});
  REQUIRE(context);
  const auto tls = d.Issue(d.agents_ca, "agent", "a");
  for (int round = 0; round < 20; ++round) {
    std::vector<std::unique_ptr<Pair>> pairs;
    for (int i = 0; i < 10; ++i) {
      pairs.push_back(std::make_unique<Pair>(**context, tls));
      SSL_do_handshake(pairs.back()->client.get());
    }
    std::atomic<int> answers{0};
    {
      TlsHandshakes handshakes(1);
      for (auto& pair : pairs) {
        handshakes.Step(*pair->stream, *context, [&](TlsHandshakes::Outcome) { ++answers; });
      }
    }
    const int at_the_end = answers;
    CHECK(at_the_end <= 10);
    pairs.clear();
    CHECK(answers == at_the_end);
  }
}

}  // namespace
}  // namespace mig
