#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "os/files.h"
#include "os/terminal.h"

namespace mig::os {
namespace {

// One byte, or the errno; 0 for the end of input.
struct OneByte {
  ssize_t count;
  char byte;
};

OneByte ReadByte(int fd) {
  OneByte one{0, '\0'};
  do {
    one.count = read(fd, &one.byte, 1);
  } while (one.count < 0 && errno == EINTR);
  return one;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a prompt that nobody sees; the read that follows will say why
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Overwrites what it drops: a secret must not stay behind in freed memory.
void Wipe(Bytes& secret) {
  volatile char* bytes = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) bytes[i] = '\0';
  secret.clear();
}

Error TooLong() {
  return Error(Errc::kInvalid,
               "a passphrase has at most " + std::to_string(kMaxSecretBytes) + " bytes");
}

// Echo, line editing and signals of the terminal are ours: with signals off, Ctrl-C comes as a
// byte, and no path leaves the terminal without echo.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd) {
    if (tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    changed_ = tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (changed_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  bool quiet() const { return changed_; }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace

bool IsTerminal(int fd) { return isatty(fd) == 1; }

void ForgetTyped(int fd) { (void)tcflush(fd, TCIFLUSH); }  // fails for no terminal alone

std::string TerminalName() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    char name[256];
    if (isatty(fd) == 1 && ttyname_r(fd, name, sizeof(name)) == 0) return name;
  }
  return {};
}

std::size_t TerminalColumns(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

Expected<Bytes> ReadSecretFromTerminal(std::string_view prompt) {
  const FileDescriptor terminal(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.valid()) {
    return Error(Errc::kUnavailable, "there is no terminal to ask for the passphrase on");
  }
  const int fd = terminal.get();
  const QuietTerminal quiet(fd);
  if (!quiet.quiet()) return ErrnoError(errno, "turn off the terminal's echo");

  constexpr char kCtrlC = 3, kCtrlD = 4, kBackspace = 8, kCtrlU = 21, kDelete = 127;
  WriteAll(fd, prompt);
  Bytes secret;
  secret.reserve(kMaxSecretBytes);  // so that no copy is left behind by growing
  for (;;) {
    const OneByte one = ReadByte(fd);
    if (one.count == 1 && (one.byte == '\n' || one.byte == '\r')) break;
    if (one.count != 1 || one.byte == kCtrlC || one.byte == kCtrlD) {
      WriteAll(fd, "\n");
      Wipe(secret);
      return Error(Errc::kDenied, "no passphrase was given");
    }
    if (one.byte == kCtrlU) {
      Wipe(secret);
    } else if (one.byte == kBackspace || one.byte == kDelete) {
      // The whole character: its continuation bytes too.
      while (!secret.empty() && (static_cast<unsigned char>(secret.back()) & 0xC0u) == 0x80u) {
        secret.pop_back();
      }
      if (!secret.empty()) secret.pop_back();
    } else if (secret.size() == kMaxSecretBytes) {
      WriteAll(fd, "\n");
      Wipe(secret);
      return TooLong();
    } else {
      secret.push_back(one.byte);
    }
  }
  WriteAll(fd, "\n");
  return secret;
}

Expected<Bytes> ReadSecretFromDescriptor(int fd) {
  Bytes secret;
  secret.reserve(kMaxSecretBytes);
  for (;;) {
    const OneByte one = ReadByte(fd);
    if (one.count < 0)
      return ErrnoError(errno, "read the passphrase from descriptor " + std::to_string(fd));
    if (one.count == 0 || one.byte == '\n') return secret;
    if (secret.size() == kMaxSecretBytes) {
      Wipe(secret);
      return TooLong();
    }
    secret.push_back(one.byte);
  }
}

}  // namespace mig::os
