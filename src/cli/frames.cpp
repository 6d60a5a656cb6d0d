// SPDX-License-Identifier: Apache-2.0
#include "cli/frames.hpp"

#include <cstdio>
#include <string>
#include <string_view>

#include <qconn/amqp/amqp_client.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

bool show_frames(Client& client) {
    auto* const amqp = dynamic_cast<AmqpClient*>(&client);
    if (amqp == nullptr) return false;
    AmqpHandlers handlers;
    handlers.on_frame = [](bool out, std::uint16_t channel, std::string_view performative, std::string_view body, std::size_t payload) {
        std::string line = (out ? "> [" : "< [") + std::to_string(channel) + "] " + std::string{performative};
        if (!body.empty()) line += ' ' + printable(body);
        if (payload > 0) line += " + " + std::to_string(payload) + " bytes";
        line += '\n';
        std::fputs(line.c_str(), stderr);
    };
    amqp->set_handlers(std::move(handlers));
    return true;
}

}  // namespace qconn::cli
