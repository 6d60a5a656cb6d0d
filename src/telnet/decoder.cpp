// SPDX-License-Identifier: Apache-2.0
#include "telnet/decoder.hpp"

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn::telnet {
namespace {

constexpr unsigned char k_bell = 0x07;
constexpr unsigned char k_cancel = 0x18;
constexpr unsigned char k_substitute = 0x1A;
constexpr unsigned char k_escape = 0x1B;
constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80U; }

/// Bytes of the character that such a byte begins; 0: none does.
std::size_t length_from(unsigned char byte) noexcept {
    if (byte < 0x80) return 1;
    if (byte >= 0xC2 && byte < 0xE0) return 2;
    if (byte >= 0xE0 && byte < 0xF0) return 3;
    return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

}  // namespace

std::size_t Decoder::plain_run(std::string_view bytes) const noexcept {
    if (after_cr_ || escape_ != Escape::none || !character_.empty()) return 0;
    const bool any_high = encoding_ == TelnetEncoding::utf8 && !replace_invalid_;
    std::size_t n = 0;
    while (n < bytes.size()) {
        const auto byte = static_cast<unsigned char>(bytes[n]);
        if (byte != '\n' && (byte < 0x20 || (byte >= 0x80 && !any_high))) break;
        ++n;
    }
    return n;
}

void Decoder::feed(std::string_view bytes, std::string& out) {
    while (!bytes.empty()) {
        const std::size_t plain = plain_run(bytes);
        out.append(bytes.substr(0, plain));
        bytes.remove_prefix(plain);
        if (bytes.empty()) return;
        line_end(static_cast<unsigned char>(bytes.front()), out);
        bytes.remove_prefix(1);
    }
}

void Decoder::line_end(unsigned char byte, std::string& out) {
    if (binary_) {
        if (after_cr_) escape('\r', out);
        after_cr_ = false;
        escape(byte, out);
        return;
    }
    if (after_cr_) {
        after_cr_ = false;
        if (byte == '\n') {
            escape('\n', out);
            return;
        }
        escape('\r', out);
        if (byte == 0) return;
    }
    if (byte == '\r')
        after_cr_ = true;
    else if (byte != 0)  // NUL does nothing
        escape(byte, out);
}

void Decoder::escape(unsigned char byte, std::string& out) {
    if (!strip_escapes_) {
        encode(byte, out);
        return;
    }
    if (escape_ != Escape::none && (byte == k_cancel || byte == k_substitute || ++sequence_ > k_longest_sequence)) {
        escape_ = Escape::none;
        if (byte == k_cancel || byte == k_substitute) return;
    }
    switch (escape_) {
        case Escape::none:
            if (byte == k_escape) {
                escape_ = Escape::begun;
                sequence_ = 0;
            } else if (byte != k_bell) {
                encode(byte, out);
            }
            return;
        case Escape::begun:
            if (byte == '[')
                escape_ = Escape::control;
            else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
                escape_ = Escape::string;
            else if (byte >= 0x20 && byte < 0x30)
                escape_ = Escape::intermediate;
            else if (byte != k_escape) {
                escape_ = Escape::none;
                if (byte < 0x20 || byte >= 0x7F) escape(byte, out);  // it ended none
            }
            return;
        case Escape::intermediate:
        case Escape::control: {
            const bool goes_on = escape_ == Escape::control ? byte >= 0x20 && byte < 0x40 : byte >= 0x20 && byte < 0x30;
            if (goes_on) return;
            escape_ = Escape::none;
            if (byte < 0x20 || byte >= 0x7F) escape(byte, out);
            return;
        }
        case Escape::string:
            if (byte == k_bell)
                escape_ = Escape::none;
            else if (byte == k_escape)
                escape_ = Escape::string_end;
            return;
        case Escape::string_end:
            if (byte == '\\') {
                escape_ = Escape::none;
            } else {  // the string was broken off by another sequence
                escape_ = Escape::begun;
                escape(byte, out);
            }
            return;
    }
}

void Decoder::give_up(std::string& out) {
    for (std::size_t i = 0; i < character_.size(); ++i) out += k_replacement;
    character_.clear();
}

void Decoder::encode(unsigned char byte, std::string& out) {
    if (encoding_ == TelnetEncoding::latin1) {
        text::append_utf8(out, byte);
        return;
    }
    if (!replace_invalid_) {
        out += static_cast<char>(byte);
        return;
    }
    if (!character_.empty() && !is_continuation(byte)) give_up(out);
    if (character_.empty() && byte < 0x80) {
        out += static_cast<char>(byte);
        return;
    }
    character_ += static_cast<char>(byte);
    const std::size_t length = length_from(static_cast<unsigned char>(character_.front()));
    if (length == 0) {
        give_up(out);
    } else if (character_.size() == length) {
        if (text::sequence_length(character_) != length) {
            give_up(out);
            return;
        }
        out += character_;
        character_.clear();
    }
}

bool encode(std::string_view text, TelnetEncoding encoding, std::string& out) {
    if (encoding == TelnetEncoding::utf8) {
        out += text;
        return true;
    }
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text.front());
        if (first < 0x80) {
            out += static_cast<char>(first);
            text.remove_prefix(1);
            continue;
        }
        const bool fits = (first == 0xC2 || first == 0xC3) && text::sequence_length(text) == 2;
        if (!fits) return false;
        out += static_cast<char>((first & 0x03U) << 6U | (static_cast<unsigned char>(text[1]) & 0x3FU));
        text.remove_prefix(2);
    }
    return true;
}

}  // namespace qconn::telnet
