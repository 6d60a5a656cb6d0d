// SPDX-License-Identifier: Apache-2.0
/// The options of an AMQP client, checked, and what follows from them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/net/endpoint.hpp>

#include "amqp/engine.hpp"

namespace qconn::websocket {
struct Settings;
}

namespace qconn::amqp {

struct Settings {
    AmqpOptions options;
    EngineOptions engine;                                             ///< of each connection but for the virtual host
    std::vector<Endpoint> endpoints;                                  ///< one for each host
    std::vector<std::shared_ptr<const websocket::Settings>> sockets;  ///< likewise, where it is over WebSocket
    std::vector<std::string> shown;                                   ///< likewise, for messages: "amqps://host:5671"
};

/// @throws Error AMQP-OPTION-ERROR
std::shared_ptr<const Settings> make_settings(AmqpOptions options);

/// The target of a link to a coordinator, encoded (part 4, 4.5.1).
std::string encode_coordinator();
/// Encoded as the source or the target of a link.
std::string encode_terminus(const AmqpTerminus& terminus, bool is_source);
/// @throws Error AMQP-OPTION-ERROR
LinkOptions link_options(const AmqpSenderOptions& options, const Settings& settings);
LinkOptions link_options(const AmqpReceiverOptions& options, const Settings& settings);

/// A random text for names that are made up.
std::string random_name(const char* prefix);

}  // namespace qconn::amqp
