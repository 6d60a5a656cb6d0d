// SPDX-License-Identifier: Apache-2.0
#include "cli/dialogue.hpp"

#include <cstdio>
#include <string>
#include <string_view>

#include <qconn/amqp/amqp_client.hpp>
#include <qconn/net/dialogue_log.hpp>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

void show_line(const DialogueLine& line) {
    const std::string text = std::string{line.mark()} + printable(line.text) + '\n';
    std::fputs(text.c_str(), stderr);
}

void show_frame(bool out, std::uint16_t channel, std::string_view performative, std::string_view body, std::size_t payload) {
    std::string line = (out ? "> [" : "< [") + std::to_string(channel) + "] " + std::string{performative};
    if (!body.empty()) line += ' ' + printable(body);
    if (payload > 0) line += " + " + std::to_string(payload) + " bytes";
    line += '\n';
    std::fputs(line.c_str(), stderr);
}

}  // namespace

bool show_dialogue(Client& client) {
    if (auto* const lines = dynamic_cast<DialogueSource*>(&client)) {
        lines->set_dialogue_listener(show_line);
        return true;
    }
    if (auto* const amqp = dynamic_cast<AmqpClient*>(&client)) {
        AmqpHandlers handlers;
        handlers.on_frame = show_frame;
        amqp->set_handlers(std::move(handlers));
        return true;
    }
    return false;
}

}  // namespace qconn::cli
