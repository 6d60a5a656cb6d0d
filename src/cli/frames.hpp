// SPDX-License-Identifier: Apache-2.0
/// The frames of an AMQP connection, shown on standard error.
#pragma once

namespace qconn {
class Client;
}

namespace qconn::cli {

/// From now on. @returns false: the client is none of AMQP, there is nothing to show
bool show_frames(Client& client);

}  // namespace qconn::cli
