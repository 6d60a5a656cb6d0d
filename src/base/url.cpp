// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/url.hpp>

#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.hpp"
#include "base/url_mask.hpp"

namespace qconn {

namespace {

/// Length of a scheme with the "://" after it, at the start of the text; 0 where there is none (RFC 3986 section 3.1, underscores allowed).
std::size_t scheme_length(std::string_view s) noexcept {
    if (s.empty() || !text::is_alpha(s[0])) return 0;
    std::size_t i = 1;
    while (i < s.size() && (text::is_alpha(s[i]) || text::is_digit(s[i]) || s[i] == '+' || s[i] == '-' || s[i] == '.' || s[i] == '_')) ++i;
    return s.substr(i, 3) == "://" ? i + 3 : 0;
}

Error bad_url(std::string_view whole, std::string_view what) {
    return make_error(Errc::parse_url,
                      std::string{"cannot read the URL \""}.append(text::shorten(text::printable(mask_url(whole)), 200)).append("\": ").append(what));
}

bool is_ipv6_address(std::string_view host) {
    // A zone may follow: fe80::1%eth0.
    const std::string address{host.substr(0, host.find('%'))};
    in6_addr ignored{};
    return ::inet_pton(AF_INET6, address.c_str(), &ignored) == 1;
}

bool has_drives(std::string_view scheme) noexcept { return scheme == "file" || scheme == "dir"; }

bool starts_with_drive(std::string_view path) noexcept { return path.size() >= 2 && text::is_alpha(path[0]) && path[1] == ':'; }

/// `file` URLs that are pure paths: a drive letter (with a slash before it) or a UNC name.
bool is_windows_path(std::string_view rest) noexcept {
    if (rest.empty()) return false;
    if (rest.substr(0, 2) == "\\\\" || rest.substr(0, 2) == "//") return true;
    return (rest[0] == '/' || rest[0] == '\\') && starts_with_drive(rest.substr(1));
}

/// Where the path begins in what follows the scheme; its size where there is no path.
std::size_t path_start(std::string_view rest) noexcept {
    const auto at = rest.rfind('@');
    const bool has_password = at != npos && rest.substr(0, at).find(':') != npos;
    const std::size_t from = has_password ? at : 0;  // a password may hold '/' and '?'
    auto start = rest.find('/', from);
    if (start == npos) start = rest.find('?', from);
    if (start == npos) return rest.size();
    // `user/part@host:80/path`: what looked like a path was the user's.
    const auto colon = rest.rfind(':');
    if (!has_password && at != npos && at > start && colon != npos && colon > start) {
        start = rest.find('/', std::max(at, colon));
        if (start == npos) return rest.size();
    }
    return start;
}

}  // namespace

Result<Url> Url::try_parse(std::string_view whole) {
    std::string_view rest = whole;
    while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r')) rest.remove_suffix(1);
    if (text::trim(rest).empty()) return bad_url(whole, "it is empty");
    for (const char c : rest)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return bad_url(whole, "it holds a control character; write it percent-encoded");

    Url url;
    if (const auto n = scheme_length(rest)) {
        url.scheme = text::to_lower(rest.substr(0, n - 3));
        rest.remove_prefix(n);
        // What stands inside is read by the rules of the outer scheme.
        while (const auto inner = scheme_length(rest)) rest.remove_prefix(inner);
    }
    if (has_drives(url.scheme) && is_windows_path(rest)) {
        url.path = starts_with_drive(rest.substr(1)) ? rest.substr(1) : rest;
        return url;
    }

    const auto start = path_start(rest);
    const std::string_view path = rest.substr(start);
    std::string_view authority = rest.substr(0, start);

    if (const auto at = authority.rfind('@'); at != npos) {
        const auto user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
        const auto colon = user.find(':');
        url.username = std::string{user.substr(0, colon)};
        if (colon != npos) url.password = Secret{user.substr(colon + 1)};
    }
    // No scheme, no user, no port, but a slash: a path and nothing else.
    if (url.scheme.empty() && !url.username && authority.find(':') == npos && !path.empty()) {
        url.path = rest;
        return url;
    }
    url.path = path;

    std::optional<std::string_view> port;
    if (!authority.empty() && authority.front() == '[') {
        const auto close = authority.find(']');
        if (close == npos) return bad_url(whole, "the ']' after the IPv6 address is missing");
        const auto address = authority.substr(1, close - 1);
        if (!is_ipv6_address(address)) return bad_url(whole, "what stands in brackets is no IPv6 address");
        url.host = address;
        url.is_ipv6 = true;
        const auto after = authority.substr(close + 1);
        if (!after.empty() && after.front() != ':') return bad_url(whole, "only a port may follow the ']'");
        if (!after.empty()) port = after.substr(1);
    } else if (authority.substr(0, 7) == "socket=") {
        url.host = percent_decode(authority.substr(7));
        url.is_socket = true;
    } else if (is_ipv6_address(authority)) {
        url.host = authority;
        url.is_ipv6 = true;
    } else {
        const auto colon = authority.rfind(':');
        url.host = authority.substr(0, colon);
        if (colon != npos) port = authority.substr(colon + 1);
        if (url.host.find(':') != std::string::npos)
            return bad_url(whole, "the host holds a ':'; write an IPv6 address in brackets, and '@' before the host where there is a user");
    }
    if (port) {
        if (port->empty()) return bad_url(whole, "nothing follows the ':' where the port should stand");
        unsigned long number = 0;
        for (const char c : *port) {
            // The text itself may be part of a password with a forgotten '@': it is not shown.
            if (!text::is_digit(c)) return bad_url(whole, "the port holds something else than digits; is an '@' missing after the password?");
            number = number * 10 + static_cast<unsigned long>(c - '0');
            if (number > 65'535) return bad_url(whole, "the port is above 65535");
        }
        url.port = static_cast<std::uint16_t>(number);
    }
    return url;
}

Url Url::parse(std::string_view text) { return try_parse(text).value(); }

std::string Url::authority() const {
    std::string out;
    if (is_socket)
        out.append("socket=").append(percent_encode(host));
    else if (is_ipv6)
        out.append("[").append(host).append("]");
    else
        out = host;
    if (port) out.append(":").append(std::to_string(*port));
    return out;
}

namespace {

/// Names of query parameters whose values are masked. Compared in lower case, percent-decoded, without '-', '_' and '.'. Docs: definitions.md.
struct CredentialName {
    std::string_view word;
    enum class Where : std::uint8_t { anywhere, at_end, whole } where;
};
constexpr CredentialName k_credential_names[] = {
    {"password", CredentialName::Where::anywhere}, {"passwd", CredentialName::Where::anywhere},     {"passphrase", CredentialName::Where::anywhere},
    {"secret", CredentialName::Where::anywhere},   {"token", CredentialName::Where::anywhere},      {"signature", CredentialName::Where::anywhere},
    {"apikey", CredentialName::Where::anywhere},   {"credential", CredentialName::Where::anywhere}, {"key", CredentialName::Where::at_end},
    {"sig", CredentialName::Where::at_end},        {"auth", CredentialName::Where::at_end},         {"authorization", CredentialName::Where::at_end},
    {"pwd", CredentialName::Where::at_end},        {"pass", CredentialName::Where::at_end},         {"code", CredentialName::Where::whole},
};

}  // namespace

bool names_credential(std::string_view parameter) {
    std::string name;
    for (const char c : percent_decode(parameter))
        if (c != '-' && c != '_' && c != '.') name += text::lower(c);
    const std::string_view view{name};
    for (const auto& entry : k_credential_names) {
        const bool found = entry.where == CredentialName::Where::whole    ? view == entry.word
                           : entry.where == CredentialName::Where::at_end ? view.ends_with(entry.word)
                                                                          : view.find(entry.word) != npos;
        if (found) return true;
    }
    return false;
}

namespace {

using IsOpen = std::function<bool(std::string_view)>;

struct Range {
    std::size_t begin;
    std::size_t end;
};

/// The values of parameters that hold credentials, from their '=' to the next '&', whatever else is in them.
std::vector<Range> credential_values(std::string_view text, const IsOpen& is_open) {
    std::vector<Range> values;
    for (std::size_t at = text.find('?'); at < text.size();) {
        const auto next = std::min(text.find('&', at + 1), text.size());
        // A name begins after any of these, so that `a=1;token=x` and `#token=x` count too.
        std::size_t name = at + 1;
        for (std::size_t i = name; i < next; ++i) {
            if (text[i] == ';' || text[i] == '#' || text[i] == '?') name = i + 1;
            if (text[i] != '=' || !names_credential(text.substr(name, i - name))) continue;
            const Range value{i + 1, next};
            if (value.begin < value.end && !(is_open && is_open(text.substr(value.begin, value.end - value.begin)))) values.push_back(value);
            break;
        }
        at = next;
    }
    return values;
}

/// What follows `from`, with the values that begin there masked.
std::string masked_after(std::string_view text, std::size_t from, const std::vector<Range>& values) {
    std::string out;
    for (const Range& value : values) {
        if (value.begin < from) continue;
        out.append(text.substr(from, value.begin - from)).append(k_masked);
        from = value.end;
    }
    return out.append(text.substr(from));
}

std::string compose(const Url& url, std::string_view password, std::string_view path) {
    std::string out;
    if (!url.scheme.empty()) out.append(url.scheme).append("://");
    if (url.username) {
        out += *url.username;
        if (url.password) out.append(":").append(password);
        out += '@';
    }
    out += url.authority();
    // The slash that parts a drive letter from the scheme was not part of the path.
    if (url.host.empty() && starts_with_drive(url.path)) out += '/';
    return out.append(path);
}

}  // namespace

std::string Url::masked() const { return compose(*this, k_masked, path == "/" ? std::string{} : masked_after(path, 0, credential_values(path, {}))); }
std::string Url::reveal() const { return compose(*this, password ? password->reveal() : std::string_view{}, path); }

std::string mask_url(std::string_view text) { return mask_url(text, {}); }

namespace {

/// An address that somebody has forgotten the brackets of.
bool looks_like_ipv6(std::string_view authority) noexcept {
    const bool is_of_its_letters = authority.find_first_not_of("0123456789abcdefABCDEF:.") == npos;
    return is_of_its_letters && (authority.find("::") != npos || std::count(authority.begin(), authority.end(), ':') >= 7);
}

}  // namespace

std::string mask_url(std::string_view text, const IsOpen& is_open, bool user_is_name) {
    const std::vector<Range> values = credential_values(text, is_open);
    // Only a scheme at the beginning is one: "://" may be part of a password.
    std::size_t begin = 0;
    while (const auto n = scheme_length(text.substr(begin))) begin += n;
    const auto at = text.rfind('@');
    if (at == npos || at < begin) {
        // A password with a forgotten '@' stands after a ':' where only digits, the port, belong.
        const auto end = std::min(text.find('/', begin), text.size());
        const auto authority = text.substr(begin, end - begin);
        const auto colon = authority.find(':');
        if (colon == npos || authority.front() == '[' || looks_like_ipv6(authority)) return masked_after(text, 0, values);
        for (const char c : authority.substr(colon + 1))
            if (!text::is_digit(c)) return std::string{text.substr(0, begin + colon + 1)}.append(k_masked);
        return masked_after(text, 0, values);
    }
    // Whether the '@' ends the user information or belongs to a credential of the query: both are masked.
    std::size_t shown = at;
    for (const Range& value : values)
        if (value.begin <= at && at < value.end) shown = value.end;
    const auto colon = text.find(':', begin);
    const bool has_password = colon != npos && colon < at;
    if (!has_password && user_is_name && shown == at) return masked_after(text, 0, values);
    const std::size_t from = has_password ? colon + 1 : begin;
    return std::string{text.substr(0, from)}.append(k_masked).append(masked_after(text, shown, values));
}

std::vector<std::string_view> split_urls(std::string_view text) {
    auto parts = text::split(text, '|');
    for (auto& part : parts) part = text::trim(part);
    return parts;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? text::hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? text::hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
    static constexpr char k_hex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (text::is_alpha(c) || text::is_digit(c) || std::string_view{"-._~"}.find(c) != npos || keep.find(c) != npos) {
            out += c;
        } else {
            out += '%';
            out += k_hex[static_cast<unsigned char>(c) >> 4];
            out += k_hex[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

}  // namespace qconn
