// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/base64.hpp"
#include "base/byte_run.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"

namespace qconn::json {

namespace {

constexpr std::size_t k_most_written_depth = 500;  // those who walk a value recurse

[[noreturn]] void refuse(std::string_view what) { throw make_error(Errc::serialize, std::string{"writing a value as JSON failed: "}.append(what)); }

/// A text that is written at a pointer: room is asked for once a token, not once a character.
class Buffer {
public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

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

    std::string take() {
        text_.resize(size());
        return std::move(text_);
    }

private:
    std::size_t size() const { return static_cast<std::size_t>(at_ - text_.data()); }
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

void put_escaped(Buffer& out, char c) {
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

void put_quoted(Buffer& out, std::string_view text) {
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
    if (!text::valid_utf8({run, end})) refuse("a text in it is not UTF-8");
    out.put('"');
    while ((run = text::run_end(run, end, special)) != end) {
        out.put({at, run});
        put_escaped(out, *run);
        at = ++run;
    }
    out.put({at, end});
    out.put('"');
}

class Writer {
public:
    Writer(bool pretty, Unfit unfit) : pretty_{pretty}, unfit_{unfit} {}

    std::string take() { return out_.take(); }

    void value(const Value& v, std::size_t depth) {
        if (depth > k_most_written_depth) refuse("it has more than 500 lists and maps inside each other");
        switch (v.kind()) {
            case ValueKind::null: out_.put("null"); break;
            case ValueKind::boolean: out_.put(v.as_bool() ? "true" : "false"); break;
            case ValueKind::int64: integer(v.as_int64()); break;
            case ValueKind::uint64: integer(v.as_uint64()); break;
            case ValueKind::float64: number(v.as_double()); break;
            case ValueKind::decimal:
                if (!text::is_number(v.as_string())) refuse("a decimal in it is not the text of a number");
                out_.put(text::canonical_number(v.as_string()));
                break;
            case ValueKind::string: put_quoted(out_, v.as_string()); break;
            case ValueKind::binary:
                if (unfit_ == Unfit::refuse) refuse("JSON has no binary data; send it as base64 text");
                put_quoted(out_, base64::encode(v.as_bytes()));
                break;
            case ValueKind::timestamp: {
                const std::string text = text::timestamp_text(v.as_timestamp(), true);
                if (text.empty()) refuse("a timestamp in it is not within the years 0 to 9999");
                put_quoted(out_, text);
                break;
            }
            case ValueKind::duration: put_quoted(out_, text::iso_duration_text(v.as_duration())); break;
            case ValueKind::list: list(v.as_list(), depth); break;
            case ValueKind::map: map(v.as_map(), depth); break;
            case ValueKind::tagged: value(v.untagged(), depth + 1); break;
        }
    }

private:
    template <class Integer>
    void integer(Integer i) {
        constexpr std::size_t k_most_digits = 20;
        char* const begin = out_.room(k_most_digits);
        out_.wrote(std::to_chars(begin, begin + k_most_digits, i).ptr);
    }
    void number(double d) {
        if (std::isfinite(d)) {
            out_.put(text::double_text(d));
        } else {
            if (unfit_ == Unfit::refuse) refuse("JSON has no infinity and no NaN");
            out_.put(std::isnan(d) ? "\"nan\"" : d < 0 ? "\"-inf\"" : "\"inf\"");
        }
    }
    void line(std::size_t depth) {
        out_.put('\n');
        out_.put(std::string(depth * 2, ' '));
    }
    void list(const List& list, std::size_t depth) {
        out_.put('[');
        bool first = true;
        for (const Value& item : list) {
            if (!std::exchange(first, false)) out_.put(',');
            if (pretty_) line(depth + 1);
            value(item, depth + 1);
        }
        if (pretty_ && !first) line(depth);
        out_.put(']');
    }
    void map(const Map& map, std::size_t depth) {
        out_.put('{');
        bool first = true;
        for (const auto& [name, member] : map) {
            if (!std::exchange(first, false)) out_.put(',');
            if (pretty_) line(depth + 1);
            put_quoted(out_, name);
            out_.put(':');
            if (pretty_) out_.put(' ');
            value(member, depth + 1);
        }
        if (pretty_ && !first) line(depth);
        out_.put('}');
    }

    Buffer out_;
    bool pretty_;
    Unfit unfit_;
};

}  // namespace

std::string encode(const Value& value, bool pretty, Unfit unfit) {
    Writer writer{pretty, unfit};
    writer.value(value, 0);
    return writer.take();
}

std::string quoted(std::string_view text) {
    Buffer out;
    put_quoted(out, text);
    return out.take();
}

}  // namespace qconn::json
