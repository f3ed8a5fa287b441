// A daemon that was killed while it told the kernel of a changed name may not be able to die: its thread waits in
// the kernel for a directory's lock, which a request holds that only the daemon could answer. The connection must
// then be aborted from outside (fusectl): the requests fail, the process ends, the lock on its store is free.
#pragma once

#include <string>

namespace stela::fsd {

// True when the daemon that `store`/LOCK names was killed, had not ended after a second, and its connection was
// aborted. Needs a mount of that store in this namespace and permission to write to fusectl; takes at most a few
// seconds, touches nothing else.
bool abort_dead_connection(const std::string& store);

}  // namespace stela::fsd
