// SPDX-License-Identifier: Apache-2.0
#include "http/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "http/http_error.hpp"

namespace qconn::http {

namespace {

constexpr char k_hex[] = "0123456789ABCDEF";

void append_encoded(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += k_hex[byte >> 4U];
    out += k_hex[byte & 0x0FU];
}

[[noreturn]] void refuse_url(std::string_view url, std::string_view why) {
    throw make_http_error(HttpErrc::url, "the URL \"" + text::printable(text::shorten(mask_url(url), 200)) + "\" cannot be used: " + std::string{why},
                          Phase::none, Reason::bad_value);
}

std::uint16_t parse_port(std::string_view url, std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) refuse_url(url, "its port is not a number from 1 to 65535");
    return port;
}

/// Blanks, control characters and bytes above 127 are never sent as they are.
bool must_encode(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7F;
}

std::string encode_needed(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    for (const char c : path) {
        if (must_encode(c))
            append_encoded(out, c);
        else
            out += c;
    }
    return out;
}

std::string_view without_fragment(std::string_view text) { return text.substr(0, std::min(text.find('#'), text.size())); }

/// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    const std::vector<std::string_view> parts = text::split(path.substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        if (parts[i] == "..") {
            if (!kept.empty()) kept.pop_back();
            if (last) kept.emplace_back();
        } else if (parts[i] == ".") {
            if (last) kept.emplace_back();
        } else {
            kept.push_back(parts[i]);
        }
    }
    std::string out;
    for (const std::string_view part : kept) out.append("/").append(part);
    return out.empty() ? "/" : out;
}

}  // namespace

bool Target::same_origin(const Target& other) const noexcept {
    return tls == other.tls && port == other.port && host == other.host && socket == other.socket;
}

std::string Target::authority() const {
    std::string out = host.find(':') != std::string::npos ? "[" + host + "]" : host;
    if (socket.empty() && port != (tls ? 443 : 80)) out.append(":").append(std::to_string(port));
    return out;
}

std::string Target::origin() const { return (tls ? "https://" : "http://") + authority(); }

std::string Target::shown() const {
    const std::string_view whole{path};
    const std::size_t query = std::min(whole.find('?'), whole.size());
    std::string out = socket.empty() ? origin() : (tls ? "https://socket=" : "http://socket=") + socket;
    out.append(whole.substr(0, query));
    if (query != whole.size()) out += "?…";
    return out;
}

bool is_whole_url(std::string_view text) noexcept {
    const std::size_t end = text.find("://");
    if (end == std::string_view::npos || end == 0 || !text::is_alpha(text.front())) return false;
    return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                       [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

Target parse_target(std::string_view url, UserInfo* user) {
    if (url.find_first_of("\r\n") != std::string_view::npos) refuse_url(url, "it holds a line break");
    Target target;
    const std::size_t scheme_end = std::min(url.find("://"), url.size());
    const std::string_view scheme = url.substr(0, scheme_end);
    if (text::iequals(scheme, "https"))
        target.tls = true;
    else if (!text::iequals(scheme, "http") || scheme_end == url.size())
        refuse_url(url, "only http:// and https:// can be requested here");
    std::string_view rest = without_fragment(url.substr(scheme_end + 3));
    const std::size_t path_start = std::min(rest.find_first_of("/?"), rest.size());
    std::string_view authority = rest.substr(0, path_start);
    const std::string_view path = rest.substr(path_start);
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
        if (user != nullptr) {
            const std::string_view info = authority.substr(0, at);
            const std::size_t colon = std::min(info.find(':'), info.size());
            user->username = percent_decode(info.substr(0, colon));
            user->password = Secret{percent_decode(info.substr(std::min(colon + 1, info.size())))};
        }
        authority.remove_prefix(at + 1);
    }
    target.port = target.tls ? 443 : 80;
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) refuse_url(url, "a ']' is missing after the IPv6 address");
        target.host = text::to_lower(authority.substr(1, close - 1));
        authority.remove_prefix(close + 1);
        if (!authority.empty()) {
            if (authority.front() != ':') refuse_url(url, "only a port can follow the IPv6 address");
            target.port = parse_port(url, authority.substr(1));
        }
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        target.host = text::to_lower(authority.substr(0, colon));
        if (colon + 1 < authority.size()) target.port = parse_port(url, authority.substr(colon + 1));
    }
    if (target.host.empty()) refuse_url(url, "it names no host");
    if (std::any_of(target.host.begin(), target.host.end(), [](char c) {
            return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || std::string_view{"<>\"\\^`{|}%"}.find(c) != std::string_view::npos;
        })) {
        refuse_url(url, "its host holds a character that no host name has");
    }
    target.path = encode_needed(path);
    if (target.path.empty() || target.path.front() != '/') target.path.insert(0, 1, '/');
    return target;
}

Target resolve_location(const Target& from, std::string_view location) {
    location = text::trim(location);
    try {
        if (is_whole_url(location)) {
            Target to = parse_target(location);
            // A server behind a UNIX socket names itself by the Host that it was asked for: that is still this socket.
            if (!from.socket.empty() && to.tls == from.tls && to.host == from.host && to.port == from.port) to.socket = from.socket;
            return to;
        }
        if (location.starts_with("//")) return parse_target((from.tls ? "https:" : "http:") + std::string{location});
    } catch (const Error& error) {
        throw make_http_error(HttpErrc::redirect, "the redirect leads nowhere: " + std::string{error.message()}, Phase::redirect, Reason::bad_answer);
    }
    const std::size_t colon = location.find(':');
    if (colon != std::string_view::npos && colon < location.find_first_of("/?#")) {
        throw make_http_error(
            HttpErrc::redirect,
            "the redirect leads to \"" + text::printable(text::shorten(location, 80)) + "\", which is neither http:// nor https:// nor a path",
            Phase::redirect, Reason::bad_answer);
    }
    Target to = from;
    const std::string relative = encode_needed(without_fragment(location));
    const std::string_view base{from.path};
    const std::string_view base_path = base.substr(0, std::min(base.find('?'), base.size()));
    if (relative.empty()) return to;
    if (relative.front() == '?') {
        to.path = std::string{base_path} + relative;
        return to;
    }
    const std::size_t query = std::min(relative.find('?'), relative.size());
    std::string path = relative.substr(0, query);
    if (path.front() != '/') path.insert(0, base_path.substr(0, base_path.rfind('/') + 1));
    to.path = remove_dot_segments(path) + relative.substr(query);
    return to;
}

std::string encode_path(std::string_view path, const PathRules& rules) {
    if (path.find_first_of("\r\n") != std::string_view::npos) {
        throw make_http_error(HttpErrc::url,
                              "the path \"" + text::printable(text::shorten(mask_url(path), 200)) + "\" holds a line break; it was not sent",
                              Phase::none, Reason::bad_value);
    }
    if (rules.pre_encoded) {
        const std::size_t at = path.find_first_of("{}|\\^~[]`");
        if (at != std::string_view::npos) {
            throw make_http_error(HttpErrc::url_encoding,
                                  std::string{"the path \""} + text::printable(text::shorten(mask_url(path), 200)) + "\" holds '" + path[at] +
                                      "', which must be percent-encoded; encode it or switch off option pre_encoded_urls",
                                  Phase::none, Reason::bad_value);
        }
    }
    std::string out;
    out.reserve(path.size());
    for (const char c : path) {
        // A fragment is never sent; a '#' in the path of a call belongs to a name.
        if (must_encode(c) || c == '#' || (!rules.pre_encoded && rules.encode.find(c) != std::string_view::npos))
            append_encoded(out, c);
        else
            out += c;
    }
    return out;
}

std::string join_paths(std::string_view base, std::string_view path) {
    const std::size_t query_start = std::min(base.find('?'), base.size());
    const std::string_view query = base.substr(query_start);
    base = base.substr(0, query_start);
    std::string out{base};
    if (!path.empty() && path.front() != '?') {
        if (out.ends_with('/')) out.pop_back();
        if (path.front() != '/') out += '/';
    }
    if (out.empty() && (path.empty() || path.front() != '/')) out = "/";
    out += path;
    if (query.size() > 1) {
        if (out.find('?') == std::string::npos)
            out += query;
        else
            out.append(out.back() == '?' ? "" : "&").append(query.substr(1));
    }
    return out;
}

RedirectStep redirect_rule(RedirectMode mode, int status, std::string_view method) noexcept {
    switch (mode) {
        case RedirectMode::none: return {};
        case RedirectMode::repeat: return {status >= 300 && status < 400 && status != 304, false};
        case RedirectMode::standard: break;
    }
    switch (status) {
        case 301:
        case 302: return {true, method == "POST"};
        case 303: return {true, method != "GET" && method != "HEAD"};
        case 307:
        case 308: return {true, false};
        default: return {};
    }
}

bool is_idempotent(std::string_view method) noexcept {
    static constexpr std::array<std::string_view, 6> k_methods{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return std::any_of(k_methods.begin(), k_methods.end(), [method](std::string_view one) { return text::iequals(one, method); });
}

bool is_credential_header(std::string_view name) noexcept {
    // Whole words and their usual joints; better one header too few at a stranger's than one too many.
    static constexpr std::array<std::string_view, 10> k_marks{"auth",     "cookie",     "key",       "token",   "secret",
                                                              "password", "credential", "signature", "session", "csrf"};
    for (const std::string_view mark : k_marks) {
        if (name.size() < mark.size()) continue;
        for (std::size_t i = 0; i + mark.size() <= name.size(); ++i) {
            if (text::iequals(name.substr(i, mark.size()), mark)) return true;
        }
    }
    return false;
}

bool is_body_header(std::string_view name) noexcept {
    return (name.size() > 8 && text::iequals(name.substr(0, 8), "content-")) || text::iequals(name, "digest");
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view text) noexcept { return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos; }

}  // namespace qconn::http
