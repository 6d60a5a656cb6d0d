// SPDX-License-Identifier: Apache-2.0
/// What a client says on its connections, shown on standard error: lines, or frames of AMQP.
#pragma once

namespace qconn {
class Client;
}

namespace qconn::cli {

/// From now on. @returns false: there is nothing of the kind to be seen of such a client
bool show_dialogue(Client& client);

}  // namespace qconn::cli
