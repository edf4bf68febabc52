// The relay on a disk that is full: publishers are told, or not answered; nothing that was accepted
// is lost, nothing is damaged, and when there is room again the relay goes on by itself.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "test/e2e/mqtt_swarm.h"
#include "test/e2e/process.h"
#include "test/skip.h"
#include "test/small_disk.h"

namespace mig::e2e {
namespace {

using namespace mqtt;
using namespace std::chrono_literals;

constexpr std::uint64_t kDiskBytes = 6 << 20;
constexpr auto kPatience = 30s;

// One relay, a subscriber that is away, and publishers. In a child process of the test, which has
// no use for Catch's macros: problems are thrown.
class Scene {
 public:
  explicit Scene(std::filesystem::path disk) : disk_(std::move(disk)) {
    away_.WantSubscription("t/#", Qos::kExactlyOnce);
    away_.on_message = [this](const Publish& publish) {
      if (!received_.insert(publish.payload).second && publish.qos == Qos::kExactlyOnce) {
        throw std::runtime_error("QoS 2 twice: " + publish.payload.substr(0, 20));
      }
    };
    for (SwarmClient* each : {&modern_, &old_, &late_}) {
      each->on_accepted = [this, each](const Publish& publish, Reason reason) {
        if (reason == Reason::kSuccess) {
          accepted_.insert(publish.payload);
        } else if (each != &old_ && reason == Reason::kQuotaExceeded) {
          ++refused_;
        } else {
          throw std::runtime_error("refused with " + std::to_string(static_cast<int>(reason)));
        }
      };
    }
  }

  void Start() {
    relay_ = std::make_unique<Background>(
        std::vector<std::string>{MIG_BUILD_DIR "/mig", "relay", "--open", "--listen", "127.0.0.1:0",
                                 "--store", (disk_ / "relay.db").string()});
    if (!relay_->WaitForOutput("sessions=", 20s)) {
      throw std::runtime_error("no start: " + relay_->err());
    }
    const auto at = relay_->err().find("port=");
    port_ = static_cast<std::uint16_t>(std::atoi(relay_->err().c_str() + at + 5));
  }
  void Kill() {
    relay_->Signal(SIGKILL);
    if (!relay_->Wait(20s)) throw std::runtime_error("the relay does not end");
    for (SwarmClient* each : {&away_, &modern_, &old_, &late_}) each->Down();
  }
  void StopInOrder() {
    relay_->Signal(SIGTERM);
    const auto outcome = relay_->Wait(20s);
    if (!outcome || outcome->status != 0) throw std::runtime_error("no end in order");
    for (SwarmClient* each : {&away_, &modern_, &old_, &late_}) each->Down();
  }

  void Connect(SwarmClient& client) {
    Until("a connection", [&] {
      if (client.down()) client.Connect(port_);  // also when it was refused for the moment
      return client.up();
    });
  }
  void Prepare() {
    Start();
    Connect(away_);
    Until("a subscription", [this] { return away_.subscribed(); });
    away_.Disconnect();
    Connect(modern_);
    Connect(old_);
  }

  // Publishes in turn with QoS 1 and 2, a few at a time.
  void PublishUntil(const char* what, const std::function<bool()>& done) {
    Until(what, [&] {
      for (SwarmClient* each : {&modern_, &old_, &late_}) {
        while (each->up() && each->unanswered() < 8) {
          const std::string number = std::to_string(++last_number_);
          each->Publish("t/" + each->id(), number + std::string(2000, '.'),
                        last_number_ % 2 == 0 ? Qos::kAtLeastOnce : Qos::kExactlyOnce, false);
        }
      }
      return done();
    });
  }

  void Until(const char* what, const std::function<bool()>& done) {
    if (swarm_.Run(kPatience, done) && swarm_.problems().empty()) return;
    std::string text = std::string("waiting for ") + what;
    for (const std::string& problem : swarm_.problems()) text += "; " + problem;
    throw std::runtime_error(text + "\n" + relay_->err());
  }

  void Fill() {
    FillDisk(disk_ / "filler");
    // The disk's last pages went to the filler: whatever comes now finds none.
    PublishUntil("bytes to leave", [this] { return modern_.sent_all() && old_.sent_all(); });
    if (!RelaySays("cannot be written")) throw std::runtime_error("the disk is not full");
    Connect(late_);
  }
  void MakeRoom() { std::filesystem::remove(disk_ / "filler"); }

  std::size_t accepted() const { return accepted_.size(); }
  std::size_t refused() const { return refused_; }
  bool RelaySays(const std::string& text) { return relay_->WaitForOutput(text, 20s); }

  // Everything that was accepted comes to the one who was away.
  void Collect() {
    Connect(away_);
    Until("what was accepted", [this] { return std::ranges::includes(received_, accepted_); });
  }

  void ResumePublishers() {
    Connect(modern_);
    Connect(old_);
  }

 private:
  const std::filesystem::path disk_;
  Swarm swarm_;
  SwarmClient away_{swarm_, "away", Version::k5};
  SwarmClient modern_{swarm_, "modern", Version::k5};
  SwarmClient old_{swarm_, "old", Version::k311};
  // Has nothing under way that waits for the disk.
  SwarmClient late_{swarm_, "late", Version::k5, true};
  std::unique_ptr<Background> relay_;
  std::uint16_t port_ = 0;
  std::uint64_t last_number_ = 0;
  std::set<Bytes> accepted_, received_;
  std::size_t refused_ = 0;
};

std::string Play(const SmallDisk& disk, const std::function<void(Scene&)>& play) {
  return disk.Run([&](const std::filesystem::path& folder) -> std::string {
    try {
      Scene scene(folder);
      play(scene);
      return "ok";
    } catch (const std::exception& error) {
      return error.what();
    }
  });
}

TEST_CASE("disk full: publishers are told, and the relay goes on when there is room", "[disk]") {
  const SmallDisk disk(kDiskBytes);
  if (!disk.available()) MIG_SKIP("no right to mount a small file system");
  CHECK(Play(disk, [](Scene& scene) {
          scene.Prepare();
          scene.PublishUntil("the first to be accepted", [&] { return scene.accepted() > 20; });
          scene.Fill();
          scene.PublishUntil("refusals", [&] { return scene.refused() > 50; });
          const std::size_t before = scene.accepted();
          scene.PublishUntil("more refusals", [&] { return scene.refused() > 200; });
          if (scene.accepted() != before) throw std::runtime_error("accepted on a full disk");
          scene.MakeRoom();
          scene.PublishUntil("service", [&] { return scene.accepted() > before + 100; });
          if (!scene.RelaySays("can be written again")) throw std::runtime_error("not told");
          scene.Kill();
          scene.Start();
          scene.Collect();
          scene.StopInOrder();
        }) == "ok");
}

TEST_CASE("disk full: a relay that dies meanwhile starts on the full disk", "[disk]") {
  const SmallDisk disk(kDiskBytes);
  if (!disk.available()) MIG_SKIP("no right to mount a small file system");
  CHECK(Play(disk, [](Scene& scene) {
          scene.Prepare();
          scene.PublishUntil("the first to be accepted", [&] { return scene.accepted() > 200; });
          scene.Fill();
          scene.PublishUntil("refusals", [&] { return scene.refused() > 20; });
          scene.Kill();
          scene.Start();
          scene.MakeRoom();
          scene.ResumePublishers();
          const std::size_t before = scene.accepted();
          scene.PublishUntil("service", [&] { return scene.accepted() > before + 100; });
          scene.Collect();
          scene.StopInOrder();
        }) == "ok");
}

}  // namespace
}  // namespace mig::e2e
