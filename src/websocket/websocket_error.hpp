// SPDX-License-Identifier: Apache-2.0
/// Errors of the WebSocket family, made in one place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/websocket/websocket_error.hpp>

#include "net/run_task.hpp"

namespace qconn::websocket {

using net::error_of;

/// An Error of this family with its stable name.
Error make_websocket_error(WebSocketErrc code, std::string message, Phase phase, Reason reason, std::string_view connection = {});
/// What a close code stands for (RFC 6455 section 7.4.1, and the registry of IANA): "going away". Empty: nothing that is known.
std::string_view meaning_of_close(std::uint16_t code) noexcept;
/// "1001 (going away): maintenance"
std::string shown_close(std::uint16_t code, std::string_view reason);
/// Whether a close frame may have that code.
bool can_be_sent(std::uint16_t code) noexcept;

}  // namespace qconn::websocket
