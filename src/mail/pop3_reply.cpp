// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_reply.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/text.hpp"

namespace qconn::mail::pop3 {
namespace {

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

/// The word at the beginning, which goes.
std::string_view take_word(std::string_view& text) noexcept {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

template <class Number>
std::optional<Number> number_in(std::string_view word) noexcept {
    Number value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
    return value;
}

template <class Take>
void each_line(std::string_view lines, Take take) {
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        std::string_view line = lines.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        take(line);
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

}  // namespace

Status status_of(std::string_view line) {
    Status status;
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (text::iequals(word, "+OK"))
        status.kind = Status::Kind::ok;
    else if (text::iequals(word, "-ERR"))
        status.kind = Status::Kind::err;
    else if (word == "+")
        status.kind = Status::Kind::more;
    if (line.starts_with(' ') || line.starts_with('\t')) status.kind = Status::Kind::none;
    status.text = text::trim(status.kind == Status::Kind::none ? line : rest);
    return status;
}

std::optional<std::string_view> first_line(std::string_view input, std::size_t& used) noexcept {
    const std::size_t end = input.find('\n');
    if (end == npos) return std::nullopt;
    used = end + 1;
    std::string_view line = input.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::optional<Pop3Stat> stat_of(std::string_view text) noexcept {
    const auto messages = number_in<std::uint32_t>(take_word(text));
    const auto size = number_in<std::uint64_t>(take_word(text));
    if (!messages || !size) return std::nullopt;
    return Pop3Stat{*messages, *size};
}

std::vector<Pop3Entry> sizes_of(std::string_view lines) {
    std::vector<Pop3Entry> all;
    each_line(lines, [&](std::string_view line) {
        const auto number = number_in<std::uint32_t>(take_word(line));
        const auto size = number_in<std::uint64_t>(take_word(line));
        if (number && *number > 0 && size) all.push_back({*number, *size, {}});
    });
    return all;
}

std::vector<Pop3Entry> uids_of(std::string_view lines) {
    std::vector<Pop3Entry> all;
    each_line(lines, [&](std::string_view line) {
        const auto number = number_in<std::uint32_t>(take_word(line));
        const std::string_view uid = text::trim(line);
        if (number && *number > 0 && !uid.empty()) all.push_back({*number, 0, std::string{uid}});
    });
    return all;
}

void join_uids(std::vector<Pop3Entry>& entries, const std::vector<Pop3Entry>& uids) {
    std::unordered_map<std::uint32_t, const std::string*> by_number;
    by_number.reserve(uids.size());
    for (const Pop3Entry& one : uids) by_number.emplace(one.number, &one.uid);
    for (Pop3Entry& one : entries)
        if (const auto found = by_number.find(one.number); found != by_number.end()) one.uid = *found->second;
}

Pop3Capabilities capabilities_of(std::string_view lines) {
    Pop3Capabilities all;
    each_line(lines, [&](std::string_view line) {
        if (all.lines.size() >= 1000) return;
        all.lines.emplace_back(line);
        const std::string name = upper(take_word(line));
        if (name == "TOP") all.top = true;
        if (name == "UIDL") all.uidl = true;
        if (name == "USER") all.user = true;
        if (name == "STLS") all.stls = true;
        if (name == "PIPELINING") all.pipelining = true;
        if (name == "RESP-CODES") all.resp_codes = true;
        if (name == "IMPLEMENTATION") all.implementation = text::trim(line);
        if (name == "LOGIN-DELAY") all.login_delay = number_in<std::uint32_t>(take_word(line));
        if (name == "EXPIRE") all.expire = number_in<std::uint32_t>(take_word(line));
        if (name == "SASL") {
            for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) all.sasl.push_back(upper(word));
        }
    });
    return all;
}

std::string_view timestamp_of(std::string_view greeting) noexcept {
    const std::size_t end = greeting.rfind('>');
    if (end == npos) return {};
    const std::size_t begin = greeting.rfind('<', end);
    if (begin == npos) return {};
    const std::string_view found = greeting.substr(begin, end - begin + 1);
    // A msg-id of RFC 5322: other words in brackets are none.
    return found.find('@') != npos && found.find_first_of(" \t") == npos ? found : std::string_view{};
}

}  // namespace qconn::mail::pop3
