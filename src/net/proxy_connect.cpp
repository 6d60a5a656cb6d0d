// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_connect.hpp"

#include <openssl/evp.h>

#include <utility>

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/address.hpp"

namespace qconn::net {

namespace {

std::string base64(std::string_view data) {
    std::string encoded(4 * ((data.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), reinterpret_cast<const unsigned char*>(data.data()),
                                     static_cast<int>(data.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return encoded;
}

/// The three digits of "HTTP/1.1 200 ...", or -1.
int status_of(std::string_view line) {
    const bool shape = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." && text::is_digit(line[7]) && line[8] == ' ' && text::is_digit(line[9]) &&
                       text::is_digit(line[10]) && text::is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
    return shape ? (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0') : -1;
}

/// The value of the first header field of that name, which is lower case.
std::string_view field(std::string_view head, std::string_view name) {
    for (const auto line : text::split(head, '\n')) {
        const auto colon = line.find(':');
        if (colon != line.npos && text::iequals(line.substr(0, colon), name)) return text::trim(line.substr(colon + 1));
    }
    return {};
}

}  // namespace

ProxyConnect::ProxyConnect(const Proxy& proxy, std::string_view host, std::uint16_t port) : proxy_{proxy}, target_{authority(host, port)} {}

Dialogue::Step ProxyConnect::begin(std::string& out) {
    for (const char c : target_) {
        if (static_cast<unsigned char>(c) <= ' ') return {Want::failed, 0, error(Reason::bad_value, "that is no host name")};
    }
    out += "CONNECT " + target_ + " HTTP/1.1\r\nHost: " + target_ + "\r\n";
    if (!proxy_.username.empty() || !proxy_.password.empty()) {
        std::string credentials = proxy_.username + ':';
        credentials += proxy_.password.reveal();
        std::string encoded = base64(credentials);
        out += "Proxy-Authorization: Basic " + encoded + "\r\n";
        wipe(credentials);
        wipe(encoded);
    }
    out += "\r\n";
    return {};
}

Dialogue::Step ProxyConnect::feed(std::string_view input, bool closed, std::string&) {
    // The final answer may have come together with interim ones: nothing more would arrive to ask for it again.
    std::size_t used = 0;
    while (true) {
        Step step = read_head(input.substr(used), closed);
        const bool interim = step.want == Want::read && step.used != 0;
        used += step.used;
        if (interim && ++interims_ > k_max_interims) return {Want::failed, used, error(Reason::limit, "it sends interim answers without an end")};
        if (interim) continue;
        step.used = used;
        return step;
    }
}

Dialogue::Step ProxyConnect::read_head(std::string_view input, bool closed) {
    // The head ends with an empty line; a bare LF is taken for a line's end too (RFC 9112 section 2.2).
    std::size_t at = 0;
    while (at < input.size()) {
        const auto end = input.find('\n', at);
        if (end == input.npos) break;
        const auto line = input.substr(at, end - at);
        if (at > 0 && (line.empty() || line == "\r")) return judge(input.substr(0, at), end + 1);
        if (at == 0 && status_of(text::trim(line)) < 0)
            return {Want::failed, 0, error(Reason::bad_answer, "its answer is not HTTP: \"" + text::shorten(text::printable(line), 80) + '"')};
        at = end + 1;
    }
    if (at == 0 && input.size() >= 5 && input.substr(0, 5) != "HTTP/")
        return {Want::failed, 0, error(Reason::bad_answer, "its answer is not HTTP: \"" + text::shorten(text::printable(input), 80) + '"')};
    if (input.size() > k_max_head) return {Want::failed, 0, error(Reason::limit, "the head of its answer is longer than 64 KiB")};
    if (closed) return {Want::failed, 0, error(Reason::closed, "it closed the connection before its answer was complete")};
    return {};
}

Dialogue::Step ProxyConnect::judge(std::string_view head, std::size_t used) {
    status_line_ = text::printable(text::trim(head.substr(0, head.find('\n'))));
    const int status = status_of(status_line_);
    if (status >= 100 && status < 200) {
        // An interim answer; the real one follows.
        return {Want::read, used, std::nullopt};
    }
    if (status >= 200 && status < 300) return {Want::done, used, std::nullopt};
    std::string words = "it answered \"" + text::shorten(status_line_, 200) + '"';
    if (const auto detail = field(head, "x-squid-error"); !detail.empty()) words += " (" + text::shorten(text::printable(detail), 100) + ")";
    const bool with_credentials = !proxy_.username.empty() || !proxy_.password.empty();
    // Tinyproxy answers 401 to wrong credentials.
    if (status == 407 || (status == 401 && with_credentials)) {
        words += with_credentials ? "; it refuses the user name or the password" : "; it wants a user name and a password";
        const auto methods = field(head, "proxy-authenticate");
        if (!methods.empty() && !text::iequals(methods.substr(0, 5), "basic"))
            words += ", and it asks for " + text::shorten(text::printable(methods.substr(0, methods.find(' '))), 40) + ", not for Basic";
        return {Want::failed, used, error(Reason::denied, std::move(words))};
    }
    if (status == 403 || status == 405)
        return {Want::failed, used, error(Reason::permission, words + "; its rules do not allow that target or CONNECT")};
    if (status == 502 || status == 503) return {Want::failed, used, error(Reason::unreachable, words + "; it could not reach the target")};
    if (status == 504) return {Want::failed, used, error(Reason::timeout, words + "; the target did not answer it")};
    return {Want::failed, used, error(Reason::status, std::move(words))};
}

Error ProxyConnect::error(Reason reason, std::string words) const {
    return Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy),
                 "opening a tunnel to \"" + target_ + "\" through the proxy " + authority(proxy_.host, proxy_.port) + " failed: " + std::move(words)}
        .with_phase(Phase::proxy)
        .with_reason(reason)
        .with_retryable(reason == Reason::closed || reason == Reason::unreachable || reason == Reason::timeout || reason == Reason::status)
        .with_spoils_connection(true);
}

}  // namespace qconn::net
