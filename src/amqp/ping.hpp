// SPDX-License-Identifier: Apache-2.0
/// A ping of an AMQP peer: a connection of its own is opened and closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/net/dialogue.hpp>

#include "amqp/settings.hpp"

namespace qconn::amqp {

enum class PingProof : std::uint8_t {
    open,     ///< log-in, open, and a close that the peer answers
    session,  ///< and a session that is begun and ended in between
};

/// What a ping says of a connection that was opened: "opened by broker-1 (qpid 1.2), frames up to 65536 bytes".
std::string shown_peer(std::string_view container_id, const AmqpMap& properties, std::uint32_t max_frame_size);

/// With the first of the hosts. The client's container id is not used: there are peers that close the older of two connections of one name.
std::unique_ptr<Dialogue> make_amqp_ping(std::shared_ptr<const Settings> settings, PingProof proof);

}  // namespace qconn::amqp
