// SPDX-License-Identifier: Apache-2.0
/// The messages of Sewio RTLS Studio, in JSON. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/result.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/websocket/sewio_client.hpp>

namespace qconn::websocket {

/// `{"headers": {"X-ApiKey": key}, "method": method, "resource": resource, "body": body}`; body only where it is not null.
std::string sewio_request(const Secret& key, std::string_view method, std::string_view resource, const Value& body);
/// @returns SEWIOWEBSOCKETCLIENT-ERROR, reason bad_answer, where it is no JSON object
Result<SewioMessage> read_sewio_message(std::string_view text, std::string_view label);

}  // namespace qconn::websocket
