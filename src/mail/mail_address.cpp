// SPDX-License-Identifier: Apache-2.0
#include "mail/mail_address.hpp"

#include <algorithm>
#include <utility>

#include <qconn/mail/mail_address.hpp>

#include "base/text.hpp"
#include "mail/smtp_error.hpp"

namespace qconn {
namespace mail {
namespace {

constexpr std::string_view k_address_specials = "()<>[]:;@\\,\"";

bool is_address_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_atext(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7F && k_address_specials.find(c) == npos;
}

/// Atoms with single dots between them.
bool is_dot_atom(std::string_view text) noexcept {
    if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != npos) return false;
    return std::all_of(text.begin(), text.end(), is_atext);
}

bool is_mail_domain(std::string_view text) noexcept {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        const auto inside = text.substr(1, text.size() - 2);
        return std::all_of(inside.begin(), inside.end(), [](char c) { return c > ' ' && c < 0x7F && c != '[' && c != ']' && c != '\\'; });
    }
    if (text.size() > 255) return false;
    const auto parts = text::split(text, '.');
    return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
        return !part.empty() && part.size() <= 63 && part.front() != '-' && part.back() != '-' && std::all_of(part.begin(), part.end(), [](char c) {
            return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
        });
    });
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

/// Recursive descent over RFC 5322 section 3.4, as tolerant as its section 4.4 where nothing else can be meant.
class AddressReader {
public:
    explicit AddressReader(std::string_view text) : text_{text} {}

    std::vector<MailAddress> list() {
        std::vector<MailAddress> all;
        bool in_group = false;
        for (;;) {
            skip();
            if (at_ == text_.size()) {
                if (in_group) fail("a group has no ';' at its end");
                return all;
            }
            if (text_[at_] == ',') {
                ++at_;
            } else if (in_group && text_[at_] == ';') {
                ++at_;
                in_group = false;
            } else if (auto one = mailbox()) {
                all.push_back(std::move(*one));
                skip();
                if (at_ < text_.size() && text_[at_] != ',' && !(in_group && text_[at_] == ';')) fail("a comma is missing");
            } else {
                if (in_group) fail("a group stands in a group");
                in_group = true;
            }
        }
    }

private:
    struct Word {
        std::string text;
        bool is_quoted;
        std::size_t begin;
        std::size_t end;
    };

    [[noreturn]] void fail(std::string_view what) const {
        std::string message{"\""};
        message += text::printable(text::shorten(text_, 200));
        message.append("\" cannot be read as addresses: ").append(what).append(" (at byte ").append(std::to_string(at_)).append(")");
        throw message_error(std::move(message));
    }

    /// White space and comments; the last comment is kept.
    void skip() {
        while (at_ < text_.size()) {
            if (is_address_blank(text_[at_]))
                ++at_;
            else if (text_[at_] == '(')
                comment();
            else
                return;
        }
    }
    void comment() {
        comment_.clear();
        int depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '\\' && at_ < text_.size()) {
                comment_ += text_[at_++];
                continue;
            }
            if (c == '(' && depth++ == 0) continue;
            if (c == ')' && --depth == 0) return;
            comment_ += c;
        }
        fail("a comment has no ')' at its end");
    }
    std::string quoted_string() {
        std::string out;
        for (++at_; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (c == '"') {
                ++at_;
                return out;
            }
            if (c == '\r' || c == '\n') continue;  // of folding
            if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
            out += c;
        }
        fail("a quote has no end");
    }
    bool word(std::vector<Word>& words) {
        const std::size_t begin = at_;
        if (at_ < text_.size() && text_[at_] == '"') {
            words.push_back({quoted_string(), true, begin, at_});
            words.back().end = at_;
            return true;
        }
        while (at_ < text_.size() && is_atext(text_[at_])) ++at_;
        if (at_ == begin) return false;
        words.push_back({std::string{text_.substr(begin, at_ - begin)}, false, begin, at_});
        return true;
    }
    static std::string phrase(const std::vector<Word>& words) {
        std::string out;
        for (const Word& one : words) {
            if (!out.empty()) out += ' ';
            out += one.text;
        }
        return out;
    }

    /// Nothing: it was the name of a group, which is begun.
    std::optional<MailAddress> mailbox() {
        std::vector<Word> words;
        comment_.clear();
        for (;;) {
            skip();
            if (word(words)) continue;
            const char c = at_ < text_.size() ? text_[at_] : ',';
            if (c == '<') return with_brackets(phrase(words));
            if (c == '@') {
                MailAddress out;
                out.address = address(words);
                skip();
                out.name = text::trim(comment_);
                return checked(std::move(out));
            }
            if (c == ':' && !words.empty()) {
                ++at_;
                return std::nullopt;
            }
            fail(c == ',' || c == ';' ? "an address has no '@'" : "a character is out of place");
        }
    }
    MailAddress with_brackets(std::string name) {
        ++at_;
        skip();
        if (at_ < text_.size() && text_[at_] == '@') {  // a route of old: <@a,@b:local@domain>
            while (at_ < text_.size() && text_[at_] != ':' && text_[at_] != '>') ++at_;
            if (at_ < text_.size() && text_[at_] == ':') ++at_;
        }
        std::vector<Word> words;
        for (skip(); word(words); skip()) {}
        if (at_ >= text_.size() || text_[at_] != '@') fail("an address has no '@'");
        MailAddress out;
        out.name = std::move(name);
        out.address = address(words);
        skip();
        if (at_ >= text_.size() || text_[at_] != '>') fail("'>' is missing");
        ++at_;
        return checked(std::move(out));
    }
    /// From the '@' on.
    std::string address(const std::vector<Word>& words) {
        if (words.size() != 1) fail(words.empty() ? "nothing stands before '@'" : "blanks stand in an address");
        const Word& local = words.front();
        std::string out = local.is_quoted && !is_dot_atom(local.text) ? in_quotes(local.text) : local.text;
        ++at_;
        skip();
        const std::size_t begin = at_;
        if (at_ < text_.size() && text_[at_] == '[') {
            while (at_ < text_.size() && text_[at_] != ']') ++at_;
            if (at_ < text_.size()) ++at_;
        } else {
            while (at_ < text_.size() && is_atext(text_[at_])) ++at_;
        }
        out.append("@").append(text_.substr(begin, at_ - begin));
        if (!is_address(out)) fail("what stands around '@' is no address");
        return out;
    }
    MailAddress checked(MailAddress out) const {
        for (char& c : out.name) {
            if (c == '\r' || c == '\n' || c == '\t') c = ' ';
        }
        if (text::has_control(out.name)) fail("a name has control characters");
        return out;
    }

    const std::string_view text_;
    std::size_t at_{0};
    std::string comment_;
};

}  // namespace

bool is_address(std::string_view text) noexcept {
    if (text.size() > 320 || !text::valid_utf8(text)) return false;
    const std::size_t at = text.rfind('@');
    if (at == npos || at == 0 || !is_mail_domain(text.substr(at + 1))) return false;
    std::string_view local = text.substr(0, at);
    if (is_dot_atom(local)) return true;
    if (local.size() < 2 || local.front() != '"' || local.back() != '"') return false;
    local = local.substr(1, local.size() - 2);
    for (std::size_t i = 0; i < local.size(); ++i) {
        if (static_cast<unsigned char>(local[i]) < ' ' || local[i] == 0x7F || local[i] == '"') return false;
        if (local[i] == '\\' && (++i == local.size() || local[i] < ' ' || local[i] == 0x7F)) return false;
    }
    return true;
}

bool needs_utf8(std::string_view address) noexcept {
    return std::any_of(address.begin(), address.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace mail

std::vector<MailAddress> parse_mail_addresses(std::string_view text) {
    if (const std::size_t wrong = text::invalid_utf8(text); wrong != npos)
        throw mail::message_error("addresses are not UTF-8 (at byte " + std::to_string(wrong) + ")");
    return mail::AddressReader{text}.list();
}

MailAddress parse_mail_address(std::string_view text) {
    auto all = parse_mail_addresses(text);
    if (all.size() != 1)
        throw mail::message_error("one address is meant, and \"" + text::printable(text::shorten(text, 200)) + "\" has " +
                                  std::to_string(all.size()));
    return std::move(all.front());
}

std::string to_text(const MailAddress& address) {
    if (address.name.empty()) return address.address;
    const auto plain = [](char c) { return c == ' ' || (mail::is_atext(c) && c != '.'); };
    std::string out =
        std::all_of(address.name.begin(), address.name.end(), plain) && text::trim(address.name) == address.name && address.name.find("  ") == npos
            ? address.name
            : mail::in_quotes(address.name);
    return out.append(" <").append(address.address).append(">");
}

}  // namespace qconn
