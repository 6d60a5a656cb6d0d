// SPDX-License-Identifier: Apache-2.0
#include "websocket/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

constexpr std::string_view k_accept_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view k_handshake_agent = "qconn/0.1";
constexpr std::size_t k_max_handshake_head = 64 * 1024;
constexpr std::size_t k_kept_body = 512;

/// Of the handshake itself: those are ours.
constexpr std::array<std::string_view, 8> k_own_headers{"upgrade",
                                                        "connection",
                                                        "sec-websocket-key",
                                                        "sec-websocket-version",
                                                        "sec-websocket-extensions",
                                                        "sec-websocket-protocol",
                                                        "sec-websocket-accept",
                                                        "content-length"};

bool is_own(std::string_view name) noexcept {
    return std::any_of(k_own_headers.begin(), k_own_headers.end(), [name](std::string_view own) { return text::iequals(own, name); });
}

/// All fields of that name as one list.
std::string joined(const Headers& headers, std::string_view name) {
    std::string all;
    for (const auto& [key, value] : headers) {
        if (!text::iequals(key, name)) continue;
        if (!all.empty()) all += ", ";
        all += value;
    }
    return all;
}

std::size_t count_of(const Headers& headers, std::string_view name) {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(), [name](const Headers::Field& field) { return text::iequals(field.first, name); }));
}

bool lists(std::string_view list, std::string_view word) {
    const auto parts = text::split(list, ',');
    return std::any_of(parts.begin(), parts.end(), [word](std::string_view part) { return text::iequals(text::trim(part), word); });
}

bool is_redirect(int status) noexcept { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

struct RefusedStatus {
    int status;
    Phase phase;
    Reason reason;
    bool retryable;
    std::string_view advice;
};
constexpr std::array<RefusedStatus, 13> k_refused{{
    {400, Phase::protocol, Reason::status, false, "the server does not take this handshake; check path and subprotocols"},
    {401, Phase::auth, Reason::denied, false, "check user name and password, or the token"},
    {403, Phase::auth, Reason::permission, false, "these credentials may not do this, or the server wants an Origin header"},
    {404, Phase::protocol, Reason::not_found, false, "check the path"},
    {405, Phase::protocol, Reason::not_found, false, "there is no WebSocket at this path"},
    {407, Phase::proxy, Reason::denied, false, "put user name and password into the proxy's URL"},
    {426, Phase::protocol, Reason::unsupported, false, "the server wants another version of the protocol"},
    {429, Phase::protocol, Reason::limit, true, "try again later"},
    {200, Phase::protocol, Reason::not_found, false, "it is a web server, but no WebSocket is at this path"},
    {500, Phase::protocol, Reason::status, true, "the server has the reason in its log"},
    {502, Phase::protocol, Reason::status, true, "what is behind the server cannot be reached"},
    {503, Phase::protocol, Reason::status, true, "try again later"},
    {504, Phase::protocol, Reason::status, true, "what is behind the server did not answer"},
}};

RefusedStatus refused_status(int status) {
    const auto found = std::find_if(k_refused.begin(), k_refused.end(), [status](const RefusedStatus& one) { return one.status == status; });
    if (found != k_refused.end()) return *found;
    return {status, Phase::protocol, Reason::status, status / 100 == 5, "the server does not speak WebSocket at this path"};
}

}  // namespace

std::string shown_target(const http::Target& target) { return "ws" + target.shown().substr(4); }

std::string make_handshake_key() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw make_error(Errc::system, "OpenSSL has no random numbers").with_reason(Reason::local);
    }
    return base64::encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string accept_of(std::string_view key) {
    std::string text{key};
    text += k_accept_suffix;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
        throw make_error(Errc::system, "OpenSSL has no SHA-1, which the WebSocket handshake needs").with_reason(Reason::local);
    }
    return base64::encode({reinterpret_cast<const char*>(digest.data()), size});
}

std::string handshake_request(const Settings& settings, const http::Target& target, std::string_view key, bool trusted) {
    const WebSocketOptions& options = settings.options;
    std::string wire;
    const auto field = [&wire](std::string_view name, std::string_view value) { wire.append(name).append(": ").append(value).append("\r\n"); };
    wire.append("GET ").append(target.path).append(" HTTP/1.1\r\n");
    const std::string* const own_host = trusted ? options.headers.find("Host") : nullptr;
    field("Host", own_host != nullptr ? *own_host : target.authority());
    field("Upgrade", "websocket");
    field("Connection", "Upgrade");
    field("Sec-WebSocket-Key", key);
    field("Sec-WebSocket-Version", std::to_string(options.version));
    if (!options.subprotocols.empty()) field("Sec-WebSocket-Protocol", text::join(options.subprotocols, ", "));
    if (const std::string offer = deflate_offer(options.compression); !offer.empty()) field("Sec-WebSocket-Extensions", offer);
    if (options.headers.find("User-Agent") == nullptr) field("User-Agent", k_handshake_agent);
    if (trusted && !settings.authorization.empty() && options.headers.find("Authorization") == nullptr) {
        field("Authorization", settings.authorization.reveal());
    }
    for (const auto& [name, value] : options.headers) {
        if (is_own(name) || text::iequals(name, "host")) continue;
        if (trusted || !http::is_credential_header(name)) field(name, value);
    }
    return wire += "\r\n";
}

HandshakeDialogue::HandshakeDialogue(std::shared_ptr<const Settings> settings, http::Target target, bool trusted, bool follows)
    : settings_{std::move(settings)},
      target_{std::move(target)},
      trusted_{trusted},
      follows_{follows},
      parser_{false, {.max_head = k_max_handshake_head}, k_kept_body} {
    parser_.keep_fields(fields_);
}

Dialogue::Step HandshakeDialogue::begin(std::string& out) {
    key_ = make_handshake_key();
    out += handshake_request(*settings_, target_, key_, trusted_);
    return {};
}

Dialogue::Step HandshakeDialogue::feed(std::string_view input, bool closed, std::string& out) {
    static_cast<void>(out);
    Step step;
    step.used = parser_.feed(input);
    if (closed && step.used == input.size()) parser_.end_of_input();
    using State = http::ResponseParser::State;
    if (parser_.state() == State::head) return step;
    if (parser_.state() == State::failed) {
        if (parser_.status() != 0 && parser_.body_bytes() > 0) return fail(std::move(step), refusal());
        Error error = bad_answer(parser_.problem());
        if (parser_.was_cut()) error.with_reason(Reason::closed).with_retryable(true);
        return fail(std::move(step), std::move(error));
    }
    if (parser_.status() == 101) {
        if (std::optional<Error> wrong = check_switch()) return fail(std::move(step), std::move(*wrong));
        agreed_.headers = std::move(fields_);
        step.want = Want::done;
        return step;
    }
    if (follows_ && is_redirect(parser_.status())) {
        location_ = std::string{fields_.get("Location")};
        if (!location_.empty()) {
            step.want = Want::done;
            return step;
        }
    }
    if (parser_.state() == State::body && parser_.body_bytes() < k_kept_body) return step;
    return fail(std::move(step), refusal());
}

Dialogue::Step HandshakeDialogue::fail(Step step, Error error) const {
    step.want = Want::failed;
    step.error = std::move(error);
    return step;
}

Error HandshakeDialogue::bad_answer(const std::string& what) const {
    return make_websocket_error(WebSocketErrc::handshake, "the WebSocket handshake with " + shown_target(target_) + " failed: " + what,
                                Phase::protocol, Reason::bad_answer, settings_->options.label);
}

std::optional<Error> HandshakeDialogue::check_switch() {
    if (!lists(joined(fields_, "Upgrade"), "websocket")) return bad_answer("its 101 has no \"Upgrade: websocket\"; is something on the way no WebSocket?");
    if (!lists(joined(fields_, "Connection"), "upgrade")) return bad_answer("its 101 has no \"Connection: Upgrade\"");
    if (count_of(fields_, "Sec-WebSocket-Accept") != 1 || text::trim(fields_.get("Sec-WebSocket-Accept")) != accept_of(key_)) {
        return bad_answer("its Sec-WebSocket-Accept does not go with what was sent: it is no WebSocket server, or an answer from a cache");
    }
    const WebSocketOptions& options = settings_->options;
    const std::string chosen = joined(fields_, "Sec-WebSocket-Protocol");
    const auto refuse_protocol = [&](const std::string& what, Reason reason) {
        return make_websocket_error(WebSocketErrc::subprotocol, "the WebSocket handshake with " + shown_target(target_) + " failed: " + what,
                                    Phase::protocol, reason, options.label);
    };
    if (!chosen.empty() && std::find(options.subprotocols.begin(), options.subprotocols.end(), chosen) == options.subprotocols.end()) {
        return refuse_protocol("the server chose the subprotocol \"" + text::printable(text::shorten(chosen, 80)) + "\", which was not offered",
                               Reason::bad_answer);
    }
    if (chosen.empty() && !options.subprotocols.empty() && options.require_subprotocol) {
        return refuse_protocol("the server chose none of the subprotocols " + text::join(options.subprotocols, ", ") +
                                   "; check their names, or allow that (require_subprotocol)",
                               Reason::unsupported);
    }
    agreed_.subprotocol = chosen;
    DeflateAnswer deflate = read_deflate_answer(options.compression, joined(fields_, "Sec-WebSocket-Extensions"));
    if (!deflate.problem.empty()) return bad_answer(deflate.problem);
    agreed_.deflate = deflate.agreed;
    return std::nullopt;
}

std::optional<Error> HandshakeDialogue::refusal_so_far() const {
    if (parser_.state() != http::ResponseParser::State::body) return std::nullopt;
    return refusal();
}

Error HandshakeDialogue::refusal() const {
    const int status = parser_.status();
    const RefusedStatus known = refused_status(status);
    std::string body = settings_->redact(parser_.body());
    std::string message = "the WebSocket handshake with " + shown_target(target_) + " was answered with " + settings_->redact(parser_.status_line());
    if (is_redirect(status)) {
        message += ", a redirect";
        if (const auto where = fields_.get("Location"); !where.empty()) {
            message += " to " + text::printable(text::shorten(settings_->redact(std::string{where.substr(0, where.find('?'))}), 200));
        }
        message += "; write the new address into the URL";
    } else {
        const std::string_view words = text::trim(body);
        // Not the beginning of a page.
        if (!words.empty() && text::valid_utf8(words) && !text::trim(parser_.body()).starts_with('<')) {
            message += ": \"" + text::printable(text::shorten(words, 160)) + '"';
        }
        message.append("; ").append(status == 401 && settings_->authorization.empty() ? "it wants credentials: set username and password, or a token"
                                                                                      : known.advice);
    }
    Error error = make_websocket_error(is_redirect(status) ? WebSocketErrc::redirect : WebSocketErrc::handshake, std::move(message),
                                       is_redirect(status) ? Phase::redirect : known.phase, known.reason, settings_->options.label);
    auto detail = std::make_shared<WebSocketErrorDetail>();
    detail->status = status;
    detail->body = std::move(body);
    return std::move(error.with_retryable(known.retryable).with_detail(std::move(detail)));
}

}  // namespace qconn::websocket
