// SPDX-License-Identifier: Apache-2.0
/// WebSocketOptions checked and taken apart once, for all the connections of a client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/websocket/websocket_options.hpp>

#include "base/redaction.hpp"
#include "http/target.hpp"

namespace qconn::websocket {

/// Immutable; shared by the client and its connections. Handlers of the options are not used by connections.
struct Settings {
    /// @throws Error WEBSOCKET-OPTION-ERROR, WEBSOCKET-URL-ERROR, TLS-OPTION-ERROR
    explicit Settings(WebSocketOptions given);

    WebSocketOptions options;
    /// In force also for what is said after the client has gone.
    Redactions redactions;
    /// Where the URL leads.
    http::Target base;
    /// Value of the Authorization header; empty: none.
    Secret authorization;
    /// Of every origin that the handshake leads to.
    std::shared_ptr<const Proxy> proxy;
    std::shared_ptr<const TlsOptions> tls;
    std::shared_ptr<const SocketOptions> socket;

    Endpoint endpoint_of(const http::Target& target) const;
    /// `text` with the client's secrets taken out, for what a server said.
    std::string redact(std::string text) const;
};

}  // namespace qconn::websocket
