// SPDX-License-Identifier: Apache-2.0
/// Writing of JSON texts, for writers that have something of their own to write.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_run.hpp"
#include "base/text.hpp"

namespace qconn::json {

/// @throws Error SERIALIZATION-ERROR: a text is not UTF-8
[[noreturn]] void refuse_text();

/// A text that is written at a pointer: room is asked for once a token, not once a character.
class TextBuffer {
public:
    TextBuffer() = default;
    TextBuffer(const TextBuffer&) = delete;
    TextBuffer& operator=(const TextBuffer&) = delete;

    /// Where at least `n` bytes can be written; wrote() tells where they end.
    char* room(std::size_t n) {
        if (static_cast<std::size_t>(end_ - at_) < n) grow(n);
        return at_;
    }
    void wrote(char* at) { at_ = at; }

    void put(char c) {
        char* const at = room(1);
        *at = c;
        at_ = at + 1;
    }
    void put(std::string_view text) {
        char* const at = room(text.size());
        std::memcpy(at, text.data(), text.size());
        at_ = at + text.size();
    }

    /// So far.
    std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - text_.data()); }
    /// Once.
    std::string take() {
        text_.resize(size());
        return std::move(text_);
    }

private:
    [[gnu::noinline]] void grow(std::size_t n) {  // so that room() is inlined
        constexpr std::size_t k_first = 240;
        const std::size_t used = size();
        text_.resize(used * 2 + std::max(n, k_first));
        at_ = text_.data() + used;
        end_ = text_.data() + text_.size();
    }

    std::string text_;
    char* at_{text_.data()};
    char* end_{at_};
};

inline void put_escaped(TextBuffer& out, char c) {
    static constexpr std::string_view k_hex = "0123456789abcdef";
    switch (c) {
        case '"': return out.put("\\\"");
        case '\\': return out.put("\\\\");
        case '\n': return out.put("\\n");
        case '\r': return out.put("\\r");
        case '\t': return out.put("\\t");
        default:
            out.put("\\u00");
            out.put(k_hex[static_cast<unsigned char>(c) >> 4U]);
            out.put(k_hex[c & 15]);
    }
}

/// A string with its quotes. @throws Error SERIALIZATION-ERROR where it is not UTF-8
inline void put_quoted(TextBuffer& out, std::string_view text) {
    const auto special = [](auto c) { return (c == '"') | (c == '\\') | (c < 0x20); };
    const char* at = text.data();
    const char* const end = at + text.size();
    char* to = out.room(text.size() + 2);
    *to++ = '"';
    const char* run = text::run_end(
        at, end, [&](auto c) { return special(c) | (c > 0x7F); },
        [&](const char* part, auto size) {
            std::memcpy(to, part, size);
            to += size;
        });
    if (run == end) {
        *to++ = '"';
        return out.wrote(to);
    }
    if (!text::valid_utf8({run, end})) refuse_text();
    out.put('"');
    while ((run = text::run_end(run, end, special)) != end) {
        out.put({at, run});
        put_escaped(out, *run);
        at = ++run;
    }
    out.put({at, end});
    out.put('"');
}

/// An integer.
template <class Integer>
void put_integer(TextBuffer& out, Integer i) {
    constexpr std::size_t k_most_digits = 20;
    char* const begin = out.room(k_most_digits);
    out.wrote(std::to_chars(begin, begin + k_most_digits, i).ptr);
}

}  // namespace qconn::json
