// SPDX-License-Identifier: Apache-2.0
#include "telnet/dialogue_log.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace qconn::telnet {
namespace {

constexpr std::string_view k_mask = "<masked>";
constexpr std::size_t k_most_secrets = 32;
constexpr std::size_t k_longest_line = 4'096;

}  // namespace

void DialogueLog::add_secret(const Secret& secret) {
    constexpr std::size_t k_shortest = 3;  // shorter ones would blot out parts of words
    if (secret.reveal().size() < k_shortest) return;
    const std::scoped_lock lock{mutex_};
    if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
    if (secrets_.size() == k_most_secrets) secrets_.erase(secrets_.begin() + 1);  // the first is that of the log-in
    secrets_.push_back(secret);
}

std::string DialogueLog::mask(std::string text) const {
    for (const Secret& secret : secrets_) {
        const std::string_view word = secret.reveal();
        for (std::size_t at = text.find(word); at != npos; at = text.find(word, at + k_mask.size())) text.replace(at, word.size(), k_mask);
    }
    return text;
}

std::string DialogueLog::masked(std::string text) const {
    const std::scoped_lock lock{mutex_};
    return mask(std::move(text));
}

void DialogueLog::keep(std::string_view text) {
    if (size_ == 0) return;
    text_ += text;
    if (text_.size() <= 2 * size_) return;
    text_ = mask(std::move(text_));  // before a secret is cut
    if (text_.size() <= size_) return;
    std::size_t cut = text_.size() - size_;
    while (cut < text_.size() && (static_cast<unsigned char>(text_[cut]) & 0xC0U) == 0x80U) ++cut;
    text_.erase(0, cut);
}

void DialogueLog::write(LogLevel level, const Lines& lines) const {
    for (const auto& [event, text] : lines) {
        LogRecord record;
        record.level = level;
        record.connection = label_;
        record.event = event;
        record.text = text;
        log_.write(record);
    }
}

void DialogueLog::flush_line(Lines& out) {
    if (!line_.empty()) out.emplace_back("telnet-received", "< " + text::printable(mask(std::exchange(line_, {}))));
}

void DialogueLog::received(std::string_view text) {
    Lines out;
    {
        const std::scoped_lock lock{mutex_};
        keep(text);
        if (!logs_lines()) return;
        while (!text.empty()) {
            const auto end = text.find('\n');
            line_ += text.substr(0, end);
            if (end != npos || line_.size() > k_longest_line) flush_line(out);
            text.remove_prefix(end == npos ? text.size() : end + 1);
        }
    }
    write(LogLevel::debug, out);
}

void DialogueLog::sent(std::string_view text, bool shown) {
    Lines out;
    {
        const std::scoped_lock lock{mutex_};
        if (shown) keep(text);
        if (!logs_lines()) return;
        flush_line(out);
        while (text.ends_with('\n')) text.remove_suffix(1);
        out.emplace_back("telnet-sent", "> " + text::printable(text::shorten(mask(std::string{text}), k_longest_line)));
    }
    write(LogLevel::debug, out);
}

void DialogueLog::sent_secret(bool shown) {
    Lines out;
    {
        const std::scoped_lock lock{mutex_};
        if (shown) keep(std::string{k_mask} + "\n");
        if (!logs_lines()) return;
        flush_line(out);
        out.emplace_back("telnet-sent", "> " + std::string{k_mask});
    }
    write(LogLevel::debug, out);
}

void DialogueLog::noted(std::string_view text) {
    if (!logs_lines()) return;
    write(LogLevel::debug, {{"telnet-negotiated", "* " + masked(text::printable(text))}});
}

void DialogueLog::told(std::string_view event, std::string_view text) {
    if (!events_ || !log_.enabled(LogLevel::info)) return;
    write(LogLevel::info, {{event, masked(text::printable(text))}});
}

std::string DialogueLog::transcript() const {
    const std::scoped_lock lock{mutex_};
    std::string text = mask(text_);
    if (text.size() > size_) text = text.substr(text.size() - size_);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) text.erase(0, 1);
    return text;
}

}  // namespace qconn::telnet
