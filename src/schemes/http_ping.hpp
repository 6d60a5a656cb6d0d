// SPDX-License-Identifier: Apache-2.0
/// What pings of the HTTP kinds do.
#pragma once

#include <optional>
#include <string>

#include <qconn/core/scheme.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

#include "http/ping_dialogue.hpp"

namespace qconn::schemes {

/// The request that a ping sends.
struct PingCall {
    std::string method{"GET"};
    /// `http…://` replaces the connection's URL, a leading '/' its path, anything else is joined to that.
    std::string path{};
    Headers headers{};
    std::string body{};
    /// Of the body of a 2xx answer; not to depth auth.
    http::BodyCheck check{};
};

/// - connect: TCP to the server, or to the proxy (with CONNECT where the target is reached by TLS), as the requests of the client go.
/// - tls, and standard without a call: the handshake as well, where the scheme is a secure one. Each time anew.
/// - standard without a call, of a plain scheme through a proxy: HEAD of the URL's path; every answer of the target is success, none that the proxy
/// gives
///   instead (502, 503, 504, 407).
/// - standard with a call: that request, on the connection of the ping before where that still stands; a 2xx answer is success.
/// - auth: the call, or GET of the URL's path; every answer but 401, 403 and 407 is success.
/// - full: the same; a 2xx answer is success.
/// @param automatic_pings  false: the standard ping does nothing and succeeds
/// It tells of a token that is given as it is, and ends.
PingPlan make_ping_plan(const HttpOptions& options, PingDepth depth, const std::optional<PingCall>& call, bool automatic_pings);

/// The plan, which tells besides when that token ends, where the token says so.
PingPlan with_end_of(PingPlan plan, const Secret& token);

/// A ping of a client whose requests are authorized by HttpOptions::authenticator: the call, or GET of the URL's path, with the authorization that
/// the client has, a new one where there is none or that is refused. For the depths auth, full, and standard with a call; success is as above. It is
/// a call of a client, as an authorization may have to be fetched from elsewhere.
PingPlan make_authorized_ping(const HttpOptions& options, PingDepth depth, const std::optional<PingCall>& call, const Runtime& runtime);

}  // namespace qconn::schemes
