// A process that holds one opened key for some hours, so that its passphrase is typed once. It
// listens in a private folder, answers its own user alone, signs nothing but envelopes, and dies at
// its deadline. Its protocol is ssh-agent's (crypto/ssh_agent_protocol.h), one question a
// connection.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/client_config.h"
#include "crypto/key_file.h"
#include "crypto/signer.h"
#include "os/local_stream.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::cli {

// $XDG_RUNTIME_DIR/mig or, without one, run/ in the user's state folder: where holders listen.
Expected<std::filesystem::path> HolderFolder(const Environment& environment);
// The socket of the holder of this key.
Expected<std::filesystem::path> HolderSocket(const PublicKey& key, const Environment& environment);

// A signer that asks the holder of that key, or nothing where there is none. Errors: kDenied:
// somebody else's process, or somebody else's folder, is in its place.
Expected<std::unique_ptr<Signer>> FindHolder(const KeyOwner& owner, const std::string& file,
                                             const Environment& environment);

// Asks a holder to forget its key and end. False when there was none. Errors: as FindHolder.
Expected<bool> LockHolder(const std::filesystem::path& socket);

// Serves until `until` by the wall clock, or `limit` of the running clock, or until it is asked to
// forget the key, whichever comes first. Error: kIo.
Expected<void> ServeHeldKey(os::LocalListener& listener, const SecretKey& secret,
                            const std::string& name, UtcTime until,
                            std::chrono::milliseconds limit);

}  // namespace mig::cli
