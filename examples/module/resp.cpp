// SPDX-License-Identifier: Apache-2.0
#include "resp.hpp"

#include <charconv>

using qconn::Phase;
using qconn::Reason;

namespace redis {

namespace {

constexpr std::string_view k_newline = "\r\n";

long long number(std::string_view text) {
    long long value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size())
        throw failure(Phase::protocol, Reason::bad_answer, "the server sent a length that is no number");
    return value;
}

}  // namespace

qconn::Error failure(Phase phase, Reason reason, const std::string& what) {
    return qconn::Error{qconn::Errc::system, "REDIS-ERROR", what}.with_phase(phase).with_reason(reason).with_spoils_connection(true);
}

qconn::Error failure(const Reply& reply, const std::string& what) {
    const auto starts = [&](std::string_view word) { return reply.text.starts_with(word); };
    const bool denied = starts("NOAUTH") || starts("WRONGPASS") || starts("ERR invalid password");
    const Reason reason = denied ? Reason::denied : starts("NOPERM") ? Reason::permission : Reason::status;
    return failure(denied ? Phase::auth : Phase::protocol, reason, what + " failed: the server says: " + reply.text)
        .with_retryable(starts("LOADING"));
}

void put_command(std::string& out, std::initializer_list<std::string_view> words) {
    (out += '*').append(std::to_string(words.size())) += k_newline;
    for (const auto word : words) ((((out += '$').append(std::to_string(word.size())) += k_newline) += word) += k_newline);
}

std::optional<Taken> take_reply(std::string_view input) {
    const auto end = input.substr(0, k_max_line).find(k_newline);
    if (end == std::string_view::npos) {
        if (input.size() >= k_max_line)
            throw failure(Phase::protocol, Reason::limit, "the server sent a line of more than " + std::to_string(k_max_line) + " bytes");
        if (!input.empty() && std::string_view{"+-:$"}.find(input[0]) == std::string_view::npos)
            throw failure(Phase::protocol, Reason::bad_answer, "what answered is no Redis server");
        return std::nullopt;
    }
    const std::string_view line = input.substr(1, end - 1);
    const std::size_t head = end + k_newline.size();
    switch (input[0]) {
        case '+':
        case ':': return Taken{{Reply::Kind::text, std::string{line}}, head};
        case '-': return Taken{{Reply::Kind::error, std::string{line}}, head};
        case '$': break;
        default:
            throw failure(Phase::protocol, Reason::bad_answer, "what answered is no Redis server, or sent a kind of reply that was not asked for");
    }
    const long long length = number(line);
    if (length < 0) return Taken{{Reply::Kind::nothing, {}}, head};
    if (static_cast<unsigned long long>(length) > k_max_value)
        throw failure(Phase::protocol, Reason::limit, "the server sent a value of more than " + std::to_string(k_max_value) + " bytes");
    const auto size = static_cast<std::size_t>(length);
    if (input.size() - head < size + k_newline.size()) return std::nullopt;
    if (input.substr(head + size, k_newline.size()) != k_newline)
        throw failure(Phase::protocol, Reason::bad_answer, "the server sent a value without its end");
    return Taken{{Reply::Kind::text, std::string{input.substr(head, size)}}, head + size + k_newline.size()};
}

}  // namespace redis
