// SPDX-License-Identifier: Apache-2.0
#include "telnet/transcript.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace qconn::telnet {
namespace {

/// More of a line is not told. Twice as much as is shown of it, so that a secret at that place is seen whole.
constexpr std::size_t k_longest_line = 8'192;

}  // namespace

net::SessionLog Transcript::begin_session() {
    const std::scoped_lock lock{mutex_};
    line_.clear();
    session_ = net::SessionLog{dialogue_};
    return session_;
}

void Transcript::keep(std::string_view text) {
    if (size_ == 0) return;
    text_ += text;
    if (text_.size() <= 2 * size_) return;
    text_ = dialogue_->masked(std::move(text_));  // before a secret is cut
    if (text_.size() <= size_) return;
    std::size_t cut = text_.size() - size_;
    while (cut < text_.size() && (static_cast<unsigned char>(text_[cut]) & 0xC0U) == 0x80U) ++cut;
    text_.erase(0, cut);
}

void Transcript::received(std::string_view text) {
    net::SessionLog session;
    std::vector<std::string> lines;
    {
        const std::scoped_lock lock{mutex_};
        keep(text);
        if (!session_.is_on()) return line_.clear();
        session = session_;
        while (!text.empty()) {
            const auto end = text.find('\n');
            const std::string_view piece = text.substr(0, end);
            line_ += piece.substr(0, k_longest_line - std::min(k_longest_line, line_.size()));
            if (end != npos) lines.push_back(std::exchange(line_, {}));
            text.remove_prefix(end == npos ? text.size() : end + 1);
        }
    }
    for (const std::string& line : lines) session.received(line);
}

net::SessionLog Transcript::flushed(std::string_view sent, bool shown) {
    net::SessionLog session;
    std::string line;
    {
        const std::scoped_lock lock{mutex_};
        if (shown) keep(sent);
        session = session_;
        line.swap(line_);
    }
    if (!line.empty()) session.received(line);
    return session;
}

void Transcript::sent(std::string_view text, bool shown) { flushed(text, shown).sent_lines(text); }

void Transcript::sent_secret(bool shown) { flushed(std::string{k_masked} + "\n", shown).sent(k_masked); }

std::string Transcript::text() const {
    const std::scoped_lock lock{mutex_};
    std::string text = dialogue_->masked(text_);
    if (text.size() > size_) text = text.substr(text.size() - size_);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) text.erase(0, 1);
    return text;
}

}  // namespace qconn::telnet
