// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_connect.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "net/address.hpp"
#include "net/proxy_check.hpp"

namespace qconn::net {

namespace {

/// The three digits of "HTTP/1.1 200 ...", or -1.
int status_of(std::string_view line) {
    const bool shape = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." && text::is_digit(line[7]) && line[8] == ' ' && text::is_digit(line[9]) &&
                       text::is_digit(line[10]) && text::is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
    return shape ? (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0') : -1;
}

/// The values of the header fields of that name, which is lower case.
std::vector<std::string_view> fields(std::string_view head, std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto line : text::split(head, '\n')) {
        const auto colon = line.find(':');
        if (colon != line.npos && text::iequals(line.substr(0, colon), name)) values.push_back(text::trim(line.substr(colon + 1)));
    }
    return values;
}

std::string_view field(std::string_view head, std::string_view name) {
    const auto values = fields(head, name);
    return values.empty() ? std::string_view{} : values.front();
}

std::vector<AuthChallenge> challenges_of(std::string_view head) {
    std::vector<AuthChallenge> all;
    for (const auto value : fields(head, "proxy-authenticate")) {
        auto some = parse_challenges(value);
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

/// Length of the body, where the connection goes on behind it.
std::optional<std::size_t> body_before_more(std::string_view head) {
    if (head.substr(0, 8) != "HTTP/1.1" || !field(head, "transfer-encoding").empty()) return std::nullopt;
    for (const char* name : {"connection", "proxy-connection"}) {
        if (text::to_lower(field(head, name)).find("close") != std::string::npos) return std::nullopt;
    }
    const auto length = field(head, "content-length");
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), size);
    if (length.empty() || error != std::errc{} || end != length.data() + length.size() || size > ProxyConnect::k_max_skipped) return std::nullopt;
    return size;
}

}  // namespace

ProxyConnect::ProxyConnect(const Proxy& proxy, std::string_view host, std::uint16_t port) : ProxyDialogue{proxy, authority(host, port)} {}

Dialogue::Step ProxyConnect::begin(std::string& out) {
    wants_new_connection_ = false;
    asks_again_ = false;
    to_skip_ = 0;
    for (const char c : target_) {
        if (static_cast<unsigned char>(c) <= ' ') return fail(ProxyRefusal::bad_value, "that is no host name");
    }
    if (const auto problem = proxy_problem(proxy_); !problem.empty()) return fail(ProxyRefusal::bad_value, problem);
    if (auto failed = ask(out)) return std::move(*failed);
    return {};
}

std::optional<Dialogue::Step> ProxyConnect::ask(std::string& out) {
    std::string credentials;
    if (challenge_) {
        const std::string nonce = make_client_nonce();
        auto made = digest_credentials(*challenge_, proxy_.username, proxy_.password.reveal(), {"CONNECT", target_, nonce, 1});
        if (!made || text::has_control(*made)) return fail(ProxyRefusal::other_login, "its digest challenge cannot be answered");
        credentials = std::move(*made);
    } else if (has_login() && (proxy_.auth == Proxy::Auth::basic || answers_basic_)) {
        credentials = basic_credentials(proxy_.username, proxy_.password.reveal());
    }
    out += "CONNECT " + target_ + " HTTP/1.1\r\nHost: " + target_ + "\r\n";
    for (const auto& [name, value] : proxy_.headers) out.append(name).append(": ").append(value).append("\r\n");
    if (!credentials.empty()) out.append("Proxy-Authorization: ").append(credentials).append("\r\n");
    wipe(credentials);
    out += "\r\n";
    interims_ = 0;
    return std::nullopt;
}

Dialogue::Step ProxyConnect::feed(std::string_view input, bool closed, std::string& out) {
    std::size_t used = 0;
    while (true) {
        if (asks_again_) {
            const std::size_t skipped = std::min(to_skip_, input.size() - used);
            used += skipped;
            to_skip_ -= skipped;
            // Nothing of the new answer has come: whatever happens to this connection, another one will do.
            wants_new_connection_ = true;
            if (to_skip_ != 0) {
                if (closed) return fail(ProxyRefusal::closed, {});
                return {Want::read, used, std::nullopt};
            }
            asks_again_ = false;
            if (auto failed = ask(out)) return std::move(*failed);
        }
        const auto rest = input.substr(used);
        if (!rest.empty()) wants_new_connection_ = false;
        Step step = read_head(rest, closed);
        used += step.used;
        const bool interim = step.want == Want::read && step.used != 0 && !asks_again_;
        if (interim && ++interims_ > k_max_interims) return fail(ProxyRefusal::limit, "it sends interim answers without an end");
        // The final answer may have come together with interim ones: nothing more would arrive to ask for it again.
        if (interim || asks_again_) continue;
        step.used = used;
        return step;
    }
}

Dialogue::Step ProxyConnect::read_head(std::string_view input, bool closed) {
    const auto not_http = [this](std::string_view text) {
        return fail(ProxyRefusal::bad_answer, "its answer is not HTTP: \"" + text::shorten(text::printable(text), 80) + '"');
    };
    // Whatever follows, so that it does not matter how much of it has come.
    constexpr std::string_view k_begin = "HTTP/";
    if (input.size() >= k_begin.size() && !input.starts_with(k_begin)) return not_http(input.substr(0, input.find('\n')));
    // The head ends with an empty line; a bare LF is taken for a line's end too (RFC 9112 section 2.2).
    std::size_t at = 0;
    while (at < input.size()) {
        const auto end = input.find('\n', at);
        if (end == input.npos) break;
        const auto line = input.substr(at, end - at);
        if (at > 0 && (line.empty() || line == "\r")) return judge(input.substr(0, at), end + 1);
        if (at == 0 && status_of(text::trim(line)) < 0) return not_http(line);
        at = end + 1;
    }
    if (input.size() > k_max_head) return fail(ProxyRefusal::limit, "the head of its answer is longer than 64 KiB");
    if (closed) return fail(ProxyRefusal::closed, {});
    return {};
}

Dialogue::Step ProxyConnect::judge(std::string_view head, std::size_t used) {
    status_line_ = text::printable(text::trim(head.substr(0, head.find('\n'))));
    const int status = status_of(status_line_);
    if (status >= 100 && status < 200) return {Want::read, used, std::nullopt};  // interim; the real one follows
    if (status >= 200 && status < 300) return {Want::done, used, std::nullopt};
    std::string words = "it answered \"" + text::shorten(status_line_, 200) + '"';
    if (const auto detail = field(head, "x-squid-error"); !detail.empty()) words += " (" + text::shorten(text::printable(detail), 100) + ")";
    if (status == 407 && can_answer(head)) return ask_again(head, used, std::move(words));
    return refuse(status, head, std::move(words), used);
}

/// Whether the log-in has not been shown yet in a way that the proxy asks for; then remembers that way.
bool ProxyConnect::can_answer(std::string_view head) {
    if (!has_login() || proxy_.auth == Proxy::Auth::basic || answers_basic_) return false;
    const auto challenges = challenges_of(head);
    if (auto digest = best_digest(challenges)) {
        if (challenge_ && (!digest->stale || was_stale_)) return false;
        was_stale_ = challenge_.has_value();
        challenge_ = std::move(digest);
        return true;
    }
    const bool basic = std::any_of(challenges.begin(), challenges.end(), [](const auto& one) { return one.scheme == "basic"; });
    answers_basic_ = basic && !challenge_ && proxy_.auth == Proxy::Auth::any;
    return answers_basic_;
}

Dialogue::Step ProxyConnect::ask_again(std::string_view head, std::size_t used, std::string words) {
    if (const auto body = body_before_more(head)) {
        to_skip_ = *body;
        asks_again_ = true;
        return {Want::read, used, std::nullopt};
    }
    Step step = fail(ProxyRefusal::wants_login, words);
    step.used = used;
    wants_new_connection_ = true;
    return step;
}

Dialogue::Step ProxyConnect::refuse(int status, std::string_view head, std::string words, std::size_t used) const {
    auto refusal = refusal_of_status(status, has_login());
    if (refusal == ProxyRefusal::wrong_login && status == 407) {
        const auto challenges = challenges_of(head);
        const auto offers = [&](std::string_view scheme) {
            return std::any_of(challenges.begin(), challenges.end(), [&](const auto& one) { return one.scheme == scheme; });
        };
        const bool shown = challenge_ ? offers("digest") : proxy_.auth == Proxy::Auth::digest ? false : offers("basic");
        if (!challenges.empty() && !shown) {
            refusal = ProxyRefusal::other_login;
            words += ", and asks for a log-in by " + text::shorten(text::printable(challenges.front().scheme), 40);
        }
    }
    Step step = fail(refusal, words);
    step.used = used;
    return step;
}

}  // namespace qconn::net
