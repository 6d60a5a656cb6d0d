// SPDX-License-Identifier: Apache-2.0
/// The options of the kinds over WebSocket.
#pragma once

#include <functional>
#include <string>

#include <qconn/core/option.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/websocket/websocket_client.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

const OptionTable<WebSocketOptions>& websocket_table();
/// Label, URL, log-in, proxy and the options of that table. The scheme is wss where the definition's ends in an `s`, else ws.
WebSocketOptions websocket_options_of(const ResolvedDefinition& definition);
/// - connect: TCP to the server, through the proxy. tls: the TLS handshake as well.
/// - standard and auth: the WebSocket handshake and a close frame (1001). full: a ping and its pong between the two, and the server's close frame.
PingPlan make_websocket_ping_plan(const ResolvedDefinition& definition, PingDepth depth);
/// "ws" and "wss", or names of that form, with what all kinds over WebSocket have in common.
Scheme websocket_kind(const std::string& name);
/// Reads `count` messages by that; one is the result itself, several are a list.
Value received(const Map& arguments, const std::function<Value()>& next);
OperationSpec::Argument count_field();

}  // namespace qconn::schemes
