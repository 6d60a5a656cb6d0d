// SPDX-License-Identifier: Apache-2.0
#include "websocket/websocket_error.hpp"

#include <array>
#include <utility>

#include <qconn/websocket/websocket_options.hpp>

#include "base/code_category.hpp"
#include "base/text.hpp"

namespace qconn {
namespace {

// In the order of WebSocketErrc, which begins with 1.
constexpr std::array<CodeWords, 13> k_websocket_codes{{
    {"WEBSOCKET-ERROR", "the WebSocket handshake failed"},
    {"WEBSOCKET-CLOSED", "the WebSocket connection was closed"},
    {"WEBSOCKET-PROTOCOL-ERROR", "the server broke the WebSocket protocol"},
    {"WEBSOCKET-LIMIT-ERROR", "a message is longer than is allowed"},
    {"WEBSOCKET-QUEUE-ERROR", "too much waits to be sent"},
    {"WEBSOCKET-TIMEOUT", "the server has been silent for too long"},
    {"WEBSOCKET-REDIRECT-ERROR", "a redirect cannot be followed"},
    {"WEBSOCKET-SUBPROTOCOL-ERROR", "no subprotocol was agreed on"},
    {"WEBSOCKET-STREAM-ERROR", "the source or the sink of a message failed"},
    {"WEBSOCKET-SETUP-ERROR", "the set-up of a new connection failed"},
    {"WEBSOCKET-OPTION-ERROR", "the connection's options cannot be used"},
    {"WEBSOCKET-URL-ERROR", "the URL cannot be used"},
    {"SEWIOWEBSOCKETCLIENT-ERROR", "the Sewio API cannot be used so"},
}};

}  // namespace

const std::error_category& websocket_category() noexcept {
    static const CodeCategory category{"qconn.websocket", k_websocket_codes};
    return category;
}

std::error_code make_error_code(WebSocketErrc code) noexcept { return {static_cast<int>(code), websocket_category()}; }

std::string_view error_name(WebSocketErrc code) noexcept { return code_name(k_websocket_codes, code); }

WebSocketErrorDetail::~WebSocketErrorDetail() = default;

std::string_view to_string(WebSocketKind kind) noexcept { return kind == WebSocketKind::text ? "text" : "binary"; }

WebSocketSetup::~WebSocketSetup() = default;

namespace websocket {
namespace {

struct CloseMeaning {
    std::uint16_t code;
    std::string_view meaning;
};
constexpr std::array<CloseMeaning, 16> k_meanings{{
    {1000, "normal"},
    {1001, "going away"},
    {1002, "protocol error"},
    {1003, "kind of data not accepted"},
    {1005, "no code given"},
    {1006, "no close frame"},
    {1007, "bad data in a message"},
    {1008, "policy violated"},
    {1009, "message too big"},
    {1010, "extension missing"},
    {1011, "the server failed"},
    {1012, "the server restarts"},
    {1013, "the server is too busy"},
    {1014, "a gateway got a bad answer"},
    {1015, "TLS failed"},
    {3000, "not authorised"},
}};

}  // namespace

Error make_websocket_error(WebSocketErrc code, std::string message, Phase phase, Reason reason, std::string_view connection) {
    Error error{code, error_name(code), std::move(message)};
    error.with_phase(phase).with_reason(reason);
    if (!connection.empty()) error.with_connection(connection);
    return error;
}

std::string_view meaning_of_close(std::uint16_t code) noexcept {
    for (const CloseMeaning& one : k_meanings) {
        if (one.code == code) return one.meaning;
    }
    return {};
}

std::string shown_close(std::uint16_t code, std::string_view reason) {
    std::string out = std::to_string(code);
    if (const auto meaning = meaning_of_close(code); !meaning.empty()) out.append(" (").append(meaning).append(")");
    if (!reason.empty()) out.append(": ").append(text::printable(reason));
    return out;
}

bool can_be_sent(std::uint16_t code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace websocket
}  // namespace qconn
