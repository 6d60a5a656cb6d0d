// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate_offer.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.hpp"

namespace qconn::websocket {
namespace {

constexpr std::string_view k_name = "permessage-deflate";
constexpr int k_widest = 15;

/// Parted by `separator` outside of quotes.
std::vector<std::string_view> parts_of(std::string_view list, char separator) {
    std::vector<std::string_view> parts;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= list.size(); ++at) {
        if (at < list.size() && list[at] == '"') quoted = !quoted;
        if (at == list.size() || (list[at] == separator && !quoted)) {
            parts.push_back(text::trim(list.substr(begin, at - begin)));
            begin = at + 1;
        }
    }
    return parts;
}

/// 8 to 15, without leading zeros; 0: it is none.
int bits_of(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    int bits = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
    const bool number = error == std::errc{} && end == value.data() + value.size() && !value.starts_with('0');
    return number && bits >= 8 && bits <= k_widest ? bits : 0;
}

std::string shown_part(std::string_view text) { return "\"" + text::printable(text::shorten(text, 80)) + "\""; }

/// What is wrong with one parameter; empty: it is taken.
std::string take_parameter(std::string_view parameter, const WebSocketCompression& wanted, Deflate& agreed, unsigned& seen) {
    const std::size_t equals = parameter.find('=');
    const std::string_view name = text::trim(parameter.substr(0, equals));
    const std::optional<std::string_view> value =
        equals == npos ? std::nullopt : std::optional<std::string_view>{text::trim(parameter.substr(equals + 1))};
    const auto again = [&seen](unsigned bit) {
        const bool was = (seen & bit) != 0;
        seen |= bit;
        return was;
    };
    const std::string which = "parameter " + shown_part(parameter);
    if (text::iequals(name, "server_no_context_takeover") || text::iequals(name, "client_no_context_takeover")) {
        const bool server = text::lower(name.front()) == 's';
        if (again(server ? 1U : 2U)) return which + " came twice";
        if (value) return which + " has a value";
        (server ? agreed.server_no_context_takeover : agreed.client_no_context_takeover) = true;
        return {};
    }
    if (text::iequals(name, "server_max_window_bits")) {
        if (again(4)) return which + " came twice";
        agreed.server_window_bits = value ? bits_of(*value) : 0;
        if (agreed.server_window_bits == 0) return which + " has no value from 8 to 15";
        if (agreed.server_window_bits > wanted.server_window_bits) return which + " is more than was asked for";
        return {};
    }
    if (text::iequals(name, "client_max_window_bits")) {
        if (again(8)) return which + " came twice";
        agreed.client_window_bits = value ? bits_of(*value) : 0;
        if (agreed.client_window_bits == 0) return which + " has no value from 8 to 15";
        return {};
    }
    return which + " is not known";
}

}  // namespace

std::string deflate_offer(const WebSocketCompression& wanted) {
    if (!wanted.enabled) return {};
    std::string offer{k_name};
    if (wanted.server_no_context_takeover) offer += "; server_no_context_takeover";
    if (wanted.client_no_context_takeover) offer += "; client_no_context_takeover";
    if (wanted.server_window_bits != k_widest) offer += "; server_max_window_bits=" + std::to_string(wanted.server_window_bits);
    // Without a value: the server may ask for a smaller one.
    offer += "; client_max_window_bits";
    if (wanted.client_window_bits != k_widest) offer += '=' + std::to_string(wanted.client_window_bits);
    return offer;
}

DeflateAnswer read_deflate_answer(const WebSocketCompression& wanted, std::string_view extensions) {
    DeflateAnswer answer;
    if (text::trim(extensions).empty()) return answer;
    for (const std::string_view one : parts_of(extensions, ',')) {
        if (one.empty()) continue;
        const std::vector<std::string_view> parts = parts_of(one, ';');
        if (!text::iequals(parts.front(), k_name) || !wanted.enabled) {
            answer.problem = "it uses the extension " + shown_part(parts.front()) + ", which was not offered";
            return answer;
        }
        if (answer.agreed.enabled) {
            answer.problem = "it agrees to permessage-deflate twice";
            return answer;
        }
        answer.agreed.enabled = true;
        unsigned seen = 0;
        for (std::size_t i = 1; i < parts.size(); ++i) {
            answer.problem = take_parameter(parts[i], wanted, answer.agreed, seen);
            if (!answer.problem.empty()) {
                answer.problem.insert(0, "its permessage-deflate cannot be used: ");
                return answer;
            }
        }
        // What the server does not repeat stands as it was asked for by us, as far as it is about us.
        answer.agreed.client_no_context_takeover = answer.agreed.client_no_context_takeover || wanted.client_no_context_takeover;
        answer.agreed.client_window_bits = std::min(answer.agreed.client_window_bits, wanted.client_window_bits);
        if (wanted.server_no_context_takeover && !answer.agreed.server_no_context_takeover) {
            answer.problem = "it agrees to permessage-deflate, but not to server_no_context_takeover, which was asked for";
            return answer;
        }
        // RFC 7692 section 7.1.2.1: a server that takes the offer must say so.
        if (wanted.server_window_bits != k_widest && (seen & 4U) == 0) {
            answer.problem = "it agrees to permessage-deflate, but not to server_max_window_bits, which was asked for";
            return answer;
        }
    }
    return answer;
}

}  // namespace qconn::websocket
