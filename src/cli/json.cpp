// SPDX-License-Identifier: Apache-2.0
#include "cli/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace qconn::cli {
namespace {

using Json = nlohmann::ordered_json;

void append_quoted(std::string& out, std::string_view text) {
    // The library's own escaping; U+FFFD for what is no UTF-8.
    out += Json(std::string{text}).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A decimal whose text is a JSON number stays one.
bool is_json_number(std::string_view text) {
    return Json::accept(text.begin(), text.end()) && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view k_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j) out += i + j <= bytes.size() ? k_digits[group >> (18 - 6 * j) & 63u] : '=';
    }
    return out;
}

class Writer {
public:
    explicit Writer(bool pretty) : pretty_{pretty} {}

    void write(const Value& value) {
        switch (value.kind()) {
            case ValueKind::null: out_ += "null"; break;
            case ValueKind::boolean: out_ += value.as_bool() ? "true" : "false"; break;
            case ValueKind::int64: out_ += std::to_string(value.as_int64()); break;
            case ValueKind::uint64: out_ += std::to_string(value.as_uint64()); break;
            case ValueKind::float64: write_double(value.as_double()); break;
            case ValueKind::decimal:
                if (is_json_number(value.as_string()))
                    out_ += value.as_string();
                else
                    append_quoted(out_, value.as_string());
                break;
            case ValueKind::string: append_quoted(out_, value.as_string()); break;
            case ValueKind::binary: append_quoted(out_, base64(value.as_bytes())); break;
            case ValueKind::timestamp:
            case ValueKind::duration: append_quoted(out_, to_text(value)); break;
            case ValueKind::list: write_list(value.as_list()); break;
            case ValueKind::map: write_map(value.as_map()); break;
            case ValueKind::tagged: write(value.untagged()); break;
        }
    }
    std::string take() { return std::move(out_); }

private:
    void write_double(double number) {
        if (!std::isfinite(number)) {
            out_ += "null";  // JSON has no such numbers
            return;
        }
        std::array<char, 32> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
        out_.append(text.data(), end);
    }
    void write_list(const List& list) {
        out_ += '[';
        ++depth_;
        bool first = true;
        for (const Value& value : list) {
            separate(first);
            write(value);
        }
        close(']', first);
    }
    void write_map(const Map& map) {
        out_ += '{';
        ++depth_;
        bool first = true;
        for (const auto& [key, value] : map) {
            separate(first);
            append_quoted(out_, key);
            out_ += pretty_ ? ": " : ":";
            write(value);
        }
        close('}', first);
    }
    void separate(bool& first) {
        if (!first) out_ += ',';
        first = false;
        new_line();
    }
    void close(char bracket, bool empty) {
        --depth_;
        if (!empty) new_line();
        out_ += bracket;
    }
    void new_line() {
        if (pretty_) (out_ += '\n').append(2 * depth_, ' ');
    }

    const bool pretty_;
    std::size_t depth_{0};
    std::string out_;
};

/// Builds a Value while the text is read, so that no digit of a number is lost on the way through a double.
class Reader : public nlohmann::json_sax<Json> {
public:
    Value take() { return std::move(root_); }

    bool null() override { return put({}); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(static_cast<long long>(value)); }
    bool number_unsigned(number_unsigned_t value) override { return put(static_cast<unsigned long long>(value)); }
    bool number_float(number_float_t value, const string_t& text) override {
        const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
        return put(digits <= 15 ? Value{value} : Value::decimal(text));  // a double keeps any 15 digits
    }
    bool string(string_t& text) override { return put(text); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Map{}); }
    bool key(string_t& name) override {
        keys_.push_back(name);
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(List{}); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
    bool open(Value container) {
        open_.push_back(std::move(container));
        return open_.size() <= k_max_depth;
    }
    bool close() {
        Value done = std::move(open_.back());
        open_.pop_back();
        return put(std::move(done));
    }
    bool put(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (open_.back().is_list()) {
            open_.back().as_list().push_back(std::move(value));
        } else {
            open_.back().as_map().set(keys_.back(), std::move(value));
            keys_.pop_back();
        }
        return true;
    }

    static constexpr std::size_t k_max_depth = 256;
    Value root_;
    std::vector<Value> open_;
    std::vector<std::string> keys_;
};

}  // namespace

std::string json_text(const Value& value, bool pretty) {
    Writer writer{pretty};
    writer.write(value);
    return writer.take();
}

std::optional<Value> parse_json(std::string_view text) {
    Reader reader;
    if (!Json::sax_parse(text.begin(), text.end(), &reader)) return std::nullopt;
    return reader.take();
}

}  // namespace qconn::cli
