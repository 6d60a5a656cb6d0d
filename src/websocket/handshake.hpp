// SPDX-License-Identifier: Apache-2.0
/// The opening handshake (RFC 6455 section 4.1): one request and its answer, for connections and for pings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/net/dialogue.hpp>
#include <qconn/websocket/websocket_options.hpp>

#include "http/response_parser.hpp"
#include "http/target.hpp"
#include "websocket/deflate_offer.hpp"
#include "websocket/settings.hpp"

namespace qconn::websocket {

/// `ws://host/path`, for messages: a query is shown as "?…".
std::string shown_target(const http::Target& target);
/// 16 random bytes in Base64.
std::string make_handshake_key();
/// What a server makes of that key: Sec-WebSocket-Accept.
std::string accept_of(std::string_view key);
/// The request, with its empty line.
/// @param trusted  the target has the origin of the client's URL: credentials go there
std::string handshake_request(const Settings& settings, const http::Target& target, std::string_view key, bool trusted);

/// What a server agreed to.
struct Agreed {
    Headers headers;
    std::string subprotocol;
    Deflate deflate;
};

/// One request and its answer. Over with the head of 101, with that of a redirect that is to be followed, and with any other answer as an error,
/// which has the beginning of its body.
class HandshakeDialogue final : public Dialogue {
public:
    /// @param follows  redirects are an outcome, not an error
    HandshakeDialogue(std::shared_ptr<const Settings> settings, http::Target target, bool trusted, bool follows);

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return parser_.status_line(); }
    std::string_view awaited() const noexcept override { return "the answer to the WebSocket handshake"; }

    /// After `done`: where it leads; empty: the handshake is done.
    const std::string& location() const noexcept { return location_; }
    int status() const noexcept { return parser_.status(); }
    Agreed& agreed() noexcept { return agreed_; }
    /// The head of an answer that refuses is there, and its body still comes: what is to be said where no more of that does.
    std::optional<Error> refusal_so_far() const;

private:
    Step fail(Step step, Error error) const;
    /// What is wrong with the 101; empty: nothing.
    std::optional<Error> check_switch();
    Error refusal() const;
    Error bad_answer(const std::string& what) const;

    const std::shared_ptr<const Settings> settings_;
    const http::Target target_;
    const bool trusted_;
    const bool follows_;
    std::string key_;
    Headers fields_;
    http::ResponseParser parser_;
    std::string location_;
    Agreed agreed_;
};

}  // namespace qconn::websocket
