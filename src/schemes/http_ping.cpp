// SPDX-License-Identifier: Apache-2.0
#include "schemes/http_ping.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <qconn/base/url.hpp>
#include <qconn/http/authenticator.hpp>

#include "auth/token_end.hpp"
#include "base/text.hpp"
#include "http/ping_dialogue.hpp"
#include "http/settings.hpp"
#include "http/target.hpp"
#include "net/http_auth.hpp"
#include "schemes/http_address.hpp"

namespace qconn::schemes {
namespace {

/// Where the client's URL leads: written in our tolerant form, which http::parse_target does not read.
http::Target base_of(const HttpOptions& options) {
    const Url url = Url::parse(options.url);
    http::Target base;
    base.tls = url.scheme == "https";
    base.port = url.port.value_or(base.tls ? 443 : 80);
    base.socket = url.is_socket ? url.host : std::string{};
    base.host = url.is_socket ? "localhost" : text::to_lower(url.host);
    base.path = http::encode_path(http::join_paths(url.path, {}), {});
    return base;
}

http::Target target_of(const HttpOptions& options, const http::Target& base, const std::string& path, http::UserInfo& user) {
    if (http::is_whole_url(path)) return http::parse_target(path, &user);
    http::Target target = base;
    const http::PathRules rules{options.encode_characters, options.pre_encoded_paths};
    if (path.starts_with('/'))
        target.path = http::encode_path(path, rules);
    else if (!path.empty())
        target.path = http::join_paths(base.path, http::encode_path(path, rules));
    return target;
}

Headers headers_of_call(const HttpOptions& options, const PingCall& call, bool same_origin, const http::UserInfo& user) {
    Headers headers;
    for (const auto& [name, value] : options.headers) {
        if (same_origin || !http::is_credential_header(name)) headers.set(name, value);
    }
    for (const auto& [name, value] : call.headers) headers.set(name, value);
    if (!user.empty() && call.headers.find("Authorization") == nullptr)
        headers.set("Authorization", net::basic_credentials(user.username, user.password.reveal()));
    else if (!same_origin || headers.find("Authorization") != nullptr)
        return headers;
    else if (!options.token.empty())
        headers.set("Authorization", options.token_type + ' ' + std::string{options.token.reveal()});
    else if (!options.username.empty() || !options.password.empty())
        headers.set("Authorization", net::basic_credentials(options.username, options.password.reveal()));
    return headers;
}

Endpoint endpoint_of(const HttpOptions& options, const http::Target& target, bool with_tls) {
    Endpoint endpoint;
    endpoint.host = target.socket.empty() ? target.host : target.socket;
    endpoint.is_socket = !target.socket.empty();
    endpoint.port = target.port;
    if (options.socket != SocketOptions{}) endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    if (const Proxy* relay = relay_of(options, target)) {  // no tunnel: the proxy is whom requests are sent to
        endpoint.host = relay->host;
        endpoint.port = relay->port;
        if (relay->kind == Proxy::Kind::https && with_tls) endpoint.tls = relay->tls ? relay->tls : std::make_shared<const TlsOptions>();
    } else if (!endpoint.is_socket) {
        if (options.proxy) endpoint.proxy = std::make_shared<const Proxy>(*options.proxy);
    }
    if (target.tls && with_tls) {
        endpoint.tls = std::make_shared<const TlsOptions>(options.tls);
        endpoint.alpn = {"http/1.1"};
    }
    return endpoint;
}

/// So that the call says how far it had come, and not only its ping that the time is over.
Deadline a_little_before(Deadline deadline) {
    constexpr std::chrono::milliseconds k_most{1000};  // also where the machine is busy
    if (deadline.is_never()) return deadline;
    return deadline.when() - std::min<Clock::duration>(deadline.remaining() / 8, k_most);
}

/// What an answer proves.
Result<PingEvidence> judged(http::PingProof proof, const Result<HttpResponse>& outcome) {
    if (!outcome) return outcome.error();
    const HttpResponse& answer = *outcome;
    const std::string status = answer.info.version + ' ' + std::to_string(answer.status) + (answer.reason.empty() ? "" : " ") +
                               text::printable(text::shorten(answer.reason, 80));
    const std::string asked = answer.info.method + ' ' + http::shown_url(answer.info.url);
    if (const std::optional<Error> refusal = http::ping_refusal(proof, asked, answer.status, status)) return *refusal;
    PingEvidence seen{status};
    seen.tls = answer.info.tls_info;
    return seen;
}

PingPlan plan_of(const HttpOptions& options, PingDepth depth, const std::optional<PingCall>& call, bool automatic_pings) {
    if (depth == PingDepth::standard && !automatic_pings) {
        return BlockingPing{[](Deadline) { return PingEvidence{"nothing was asked: automatic pings are switched off (disable_automatic_pings)"}; }};
    }
    const http::Target base = base_of(options);
    NetPing ping;
    // Connecting to a proxy proves nothing of the target, unless it makes a tunnel.
    const bool by_proxy = relay_of(options, base) != nullptr;
    const bool sends = depth == PingDepth::auth || depth == PingDepth::full || (depth == PingDepth::standard && (call || by_proxy));
    if (!sends) {
        ping.endpoint = endpoint_of(options, base, depth != PingDepth::connect);
        return ping;
    }

    PingCall what = call.value_or(PingCall{});
    const bool asks_only = depth == PingDepth::standard && !call;
    if (asks_only) what.method = "HEAD";
    http::UserInfo user;
    const http::Target target = target_of(options, base, what.path, user);
    ping.endpoint = endpoint_of(options, target, true);
    ping.keep = depth == PingDepth::standard;

    http::HttpPingRequest request;
    request.method = what.method;
    request.host = target.authority();
    request.target = target.path;
    request.headers = headers_of_call(options, what, target.same_origin(base), user);
    if (const Proxy* relay = relay_of(options, target)) {
        request.target = target.url();
        for (const auto& [name, value] : relay->headers) request.headers.set(name, value);
        if (!relay->username.empty()) request.headers.set("Proxy-Authorization", net::basic_credentials(relay->username, relay->password.reveal()));
    }
    request.body = what.body;
    request.keep = ping.keep;
    request.limits.max_head = options.max_head;
    if (asks_only) request.proof = http::PingProof::reached;
    if (depth == PingDepth::auth)
        request.proof = http::PingProof::login;
    else
        request.check = what.check;
    ping.dialogue = http::HttpPings{request};
    return ping;
}

}  // namespace

PingPlan with_end_of(PingPlan plan, const Secret& token) {
    if (const auto end = auth::ending_token(token)) plan.credentials = [end] { return std::vector{*end}; };
    return plan;
}

PingPlan make_ping_plan(const HttpOptions& options, PingDepth depth, const std::optional<PingCall>& call, bool automatic_pings) {
    return with_end_of(plan_of(options, depth, call, automatic_pings), options.token);
}

PingPlan make_authorized_ping(const HttpOptions& given, PingDepth depth, const std::optional<PingCall>& call, const Runtime& runtime) {
    const PingCall what = call.value_or(PingCall{});
    http::UserInfo user;
    HttpRequest request;
    request.method = what.method;
    request.headers = what.headers;
    request.body = what.body;
    request.has_body = !what.body.empty();
    // The path of a call is joined to that of the client's URL, a ping's may replace it.
    const bool as_it_is = http::is_whole_url(what.path) || given.authenticator->names_origin();
    request.path = as_it_is ? what.path : target_of(given, base_of(given), what.path, user).path;
    HttpOptions options = given;
    Url url = Url::parse(options.url);
    url.path.clear();
    options.url = url.reveal();
    options.encode_characters.clear();
    options.pre_encoded_paths = false;
    options.error_passthru = true;
    options.redirects = RedirectMode::none;
    options.max_idle = depth == PingDepth::standard ? 1 : 0;
    const auto client = std::make_shared<HttpClient>(std::move(options), runtime);
    const http::PingProof proof = depth == PingDepth::auth ? http::PingProof::login : http::PingProof::success;
    return CallPing{[client, request, proof](Deadline deadline, Callback<PingEvidence> callback) {
        return client->async_request(
            request, a_little_before(deadline),
            [proof, callback = std::move(callback)](Result<HttpResponse> answer) mutable { callback(judged(proof, answer)); });
    }};
}

}  // namespace qconn::schemes
