// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_reply.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace qconn::mail {
namespace {

/// Up to three digits. @returns how many
std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
    std::size_t n = 0;
    while (n < 3 && at + n < text.size() && text::is_digit(text[at + n])) ++n;
    return n;
}

/// "AUTH PLAIN LOGIN", and "AUTH=LOGIN" of servers from before the standard.
void add_mechanisms(std::string_view words, std::vector<std::string>& all) {
    constexpr std::size_t k_most = 64;
    for (std::string_view word : text::split(words, ' ')) {
        std::string name{text::trim(word)};
        for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        if (name.empty() || all.size() >= k_most || std::find(all.begin(), all.end(), name) != all.end()) continue;
        all.push_back(std::move(name));
    }
}

}  // namespace

std::string enhanced_status(const Reply& reply) {
    if (reply.lines.empty()) return {};
    const std::string_view line = reply.lines.front();
    if (line.size() < 5 || line[0] != static_cast<char>('0' + reply.code / 100) || line[1] != '.') return {};
    const std::size_t subject = digits_at(line, 2);
    if (subject == 0 || 2 + subject >= line.size() || line[2 + subject] != '.') return {};
    const std::size_t detail = digits_at(line, 3 + subject);
    const std::size_t end = 3 + subject + detail;
    if (detail == 0 || (end < line.size() && line[end] != ' ')) return {};
    return std::string{line.substr(0, end)};
}

bool read_capabilities(const Reply& reply, SmtpServerInfo& info) {
    bool starttls = false;
    info.pipelining = info.eight_bit = info.smtputf8 = info.dsn = info.enhanced_status = false;
    info.max_size.reset();
    info.auth.clear();
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {  // the first is the server's name
        const std::string_view line = text::trim(reply.lines[i]);
        const std::size_t end = line.find_first_of(" =");
        const std::string word = text::to_lower(line.substr(0, end));
        const std::string_view rest = end == npos ? std::string_view{} : text::trim(line.substr(end + 1));
        if (word == "pipelining") info.pipelining = true;
        if (word == "8bitmime") info.eight_bit = true;
        if (word == "smtputf8") info.smtputf8 = true;
        if (word == "dsn") info.dsn = true;
        if (word == "enhancedstatuscodes") info.enhanced_status = true;
        if (word == "starttls") starttls = true;
        if (word == "auth") add_mechanisms(rest, info.auth);
        if (word == "size") {
            std::uint64_t most = 0;
            const auto [to, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), most);
            if (rest.empty() || (problem == std::errc{} && to == rest.data() + rest.size())) info.max_size = most;
        }
    }
    return starttls;
}

}  // namespace qconn::mail
