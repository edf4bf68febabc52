// Makes Paho's two threads look up from their waits, which are a second long.
//
// The receiving thread polls the sockets it knew when it began, for a whole second, and only then
// looks at those that have become writable; the sending thread is not told when that has happened.
// So, by measurement, a connection is noticed 1.0 to 2.1 s after it was made, and a large publish
// goes on a second after the socket had room again; Paho has no function to hurry either. But the
// first looks up when any of its sockets has something to read, the second when any client has
// something to send. Hence one more Paho client, whose relay is a socket of our own on loopback: we
// send it a PINGRESP, or let it publish a byte. The same client keeps Paho from ending its threads
// whenever its last other client goes, for which its destructor would wait for a second.
#pragma once

namespace mig {

class PahoWaker {
 public:
  // One for the process, for ever. Blocks at the first call, for milliseconds. Where loopback is
  // closed to us it does nothing, and connections take the second.
  static PahoWaker& Get();

  // On a thread that may wait for Paho's lock.
  void WakeReceiver();
  void WakeSender();

  PahoWaker(const PahoWaker&) = delete;
  PahoWaker& operator=(const PahoWaker&) = delete;

 private:
  PahoWaker();
  struct Client;
  Client* client_ = nullptr;  // kept for ever
  int relay_side_ = -1;
};

}  // namespace mig
