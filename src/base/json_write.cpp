// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <cmath>
#include <utility>

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"

namespace qconn::json {

namespace {

constexpr std::size_t k_most_written_depth = 500;  // those who walk a value recurse

[[noreturn]] void refuse(std::string_view what) { throw make_error(Errc::serialize, std::string{"writing a value as JSON failed: "}.append(what)); }

class Writer {
public:
    Writer(bool pretty, Unfit unfit) : pretty_{pretty}, unfit_{unfit} {}

    std::string take() { return out_.take(); }

    void value(const Value& v, std::size_t depth) {
        if (depth > k_most_written_depth) refuse("it has more than 500 lists and maps inside each other");
        switch (v.kind()) {
            case ValueKind::null: out_.put("null"); break;
            case ValueKind::boolean: out_.put(v.as_bool() ? "true" : "false"); break;
            case ValueKind::int64: put_integer(out_, v.as_int64()); break;
            case ValueKind::uint64: put_integer(out_, v.as_uint64()); break;
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

    TextBuffer out_;
    bool pretty_;
    Unfit unfit_;
};

}  // namespace

void refuse_text() { refuse("a text in it is not UTF-8"); }

std::string encode(const Value& value, bool pretty, Unfit unfit) {
    Writer writer{pretty, unfit};
    writer.value(value, 0);
    return writer.take();
}

std::string quoted(std::string_view text) {
    TextBuffer out;
    put_quoted(out, text);
    return out.take();
}

}  // namespace qconn::json
