// SPDX-License-Identifier: Apache-2.0
#include "net/socks5.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"

namespace qconn::net {

namespace {

constexpr char k_version = '\x05';
constexpr char k_no_login = '\x00';
constexpr char k_password = '\x02';
constexpr unsigned k_no_method = 0xFF;

constexpr char k_ipv4 = '\x01';
constexpr char k_name = '\x03';
constexpr char k_ipv6 = '\x04';

constexpr std::array<std::string_view, 9> k_replies{"succeeded",
                                                    "general SOCKS server failure",
                                                    "connection not allowed by ruleset",
                                                    "network unreachable",
                                                    "host unreachable",
                                                    "connection refused",
                                                    "TTL expired",
                                                    "command not supported",
                                                    "address type not supported"};

void append_text(std::string& out, std::string_view text) {
    out += static_cast<char>(text.size());
    out += text;
}

}  // namespace

Socks5::Socks5(const Proxy& proxy, ProxyTarget target) : ProxyDialogue{proxy, authority(target.host, target.port)}, to_{std::move(target)} {
    if (!to_.address) to_.address = Address::literal(to_.host);
}

std::string Socks5::evidence() const { return logged_in_ ? "granted (SOCKS5, with log-in)" : "granted (SOCKS5)"; }

std::string_view Socks5::awaited() const noexcept {
    switch (state_) {
        case State::greeting: return "the SOCKS5 proxy's choice of a log-in";
        case State::login: return "the SOCKS5 proxy's answer to the log-in";
        case State::request: break;
    }
    return "the SOCKS5 proxy's reply";
}

Dialogue::Step Socks5::begin(std::string& out) {
    if (!to_.address && (to_.host.empty() || to_.host.size() > k_max_text))
        return fail(ProxyRefusal::bad_value, "the name of the target has not between 1 and 255 bytes");
    if (has_login() && (proxy_.username.empty() || proxy_.username.size() > k_max_text || proxy_.password.reveal().size() > k_max_text))
        return fail(ProxyRefusal::bad_value, "user name and password of a SOCKS5 proxy have at most 255 bytes each, the name at least 1");
    out += k_version;
    append_text(out, has_login() ? std::string_view{"\x00\x02", 2} : std::string_view{"\x00", 1});
    return {};
}

Dialogue::Step Socks5::feed(std::string_view input, bool closed, std::string& out) {
    std::size_t used = 0;
    while (true) {
        const auto rest = input.substr(used);
        const char version = state_ == State::login ? '\x01' : k_version;
        if (!rest.empty() && rest.front() != version)
            return fail(ProxyRefusal::bad_answer, "its answer is not SOCKS5: \"" + text::shorten(text::printable(rest), 40) + '"');
        auto step = state_ == State::greeting ? read_method(rest, out) : state_ == State::login ? read_login(rest, out) : read_reply(rest);
        if (!step) {
            if (closed) return fail(ProxyRefusal::closed, {});
            return {Want::read, used, std::nullopt};
        }
        used += step->used;
        step->used = used;
        if (step->want != Want::read) return std::move(*step);
    }
}

std::optional<Dialogue::Step> Socks5::read_method(std::string_view input, std::string& out) {
    if (input.size() < 2) return std::nullopt;
    const unsigned method = byte_at(input, 1);
    if (input[1] == k_no_login) {
        write_request(out);
        state_ = State::request;
    } else if (input[1] == k_password && has_login()) {
        write_login(out);
        state_ = State::login;
    } else if (method == k_no_method || input[1] == k_password) {
        return fail(has_login() ? ProxyRefusal::other_login : ProxyRefusal::wants_login, "it takes no client without a log-in that it knows");
    } else {
        return fail(ProxyRefusal::bad_answer, "it chose the log-in method " + std::to_string(method) + ", which was not offered");
    }
    return Step{Want::read, 2, std::nullopt};
}

std::optional<Dialogue::Step> Socks5::read_login(std::string_view input, std::string& out) {
    if (input.size() < 2) return std::nullopt;
    if (byte_at(input, 1) != 0) return fail(ProxyRefusal::wrong_login, "it answered the log-in with " + std::to_string(byte_at(input, 1)));
    logged_in_ = true;
    write_request(out);
    state_ = State::request;
    return Step{Want::read, 2, std::nullopt};
}

std::optional<Dialogue::Step> Socks5::read_reply(std::string_view input) {
    if (input.size() < 2) return std::nullopt;
    if (const unsigned reply = byte_at(input, 1); reply != 0) {
        const auto words = reply < k_replies.size() ? k_replies[reply] : std::string_view{"unassigned"};
        return fail(refusal_of_socks5(reply), "it answered " + std::to_string(reply) + " (" + std::string{words} + ")");
    }
    if (input.size() < 5) return std::nullopt;
    // The address that it uses for the target; nothing here needs it.
    std::size_t size = 4 + 2;
    switch (input[3]) {
        case k_ipv4: size += 4; break;
        case k_ipv6: size += 16; break;
        case k_name: size += 1 + byte_at(input, 4); break;
        default: return fail(ProxyRefusal::bad_answer, "its reply holds an address of the unknown type " + std::to_string(byte_at(input, 3)));
    }
    if (input.size() < size) return std::nullopt;
    return Step{Want::done, size, std::nullopt};
}

void Socks5::write_login(std::string& out) const {
    out += '\x01';
    append_text(out, proxy_.username);
    append_text(out, proxy_.password.reveal());
}

void Socks5::write_request(std::string& out) const {
    out += k_version;
    out += '\x01';  // CONNECT
    out += '\x00';
    if (!to_.address) {
        out += k_name;
        append_text(out, to_.host);
    } else if (to_.address->family() == AF_INET) {
        out += k_ipv4;
        out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(to_.address->data())->sin_addr), 4);
    } else {
        out += k_ipv6;
        out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(to_.address->data())->sin6_addr), 16);
    }
    out += static_cast<char>(to_.port >> 8U);
    out += static_cast<char>(to_.port & 0xFFU);
}

}  // namespace qconn::net
