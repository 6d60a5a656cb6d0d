// SPDX-License-Identifier: Apache-2.0
#include "cli/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

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

Value from_json(const Json& json) {
    switch (json.type()) {
        case Json::value_t::boolean: return json.get<bool>();
        case Json::value_t::number_integer: return json.get<std::int64_t>();
        case Json::value_t::number_unsigned: return json.get<std::uint64_t>();
        case Json::value_t::number_float: return json.get<double>();
        case Json::value_t::string: return json.get_ref<const std::string&>();
        case Json::value_t::array: {
            List list;
            for (const Json& item : json) list.push_back(from_json(item));
            return list;
        }
        case Json::value_t::object: {
            Map map;
            for (const auto& [key, value] : json.items()) map.set(key, from_json(value));
            return map;
        }
        case Json::value_t::null:
        case Json::value_t::binary:
        case Json::value_t::discarded: break;
    }
    return {};
}

}  // namespace

std::string json_text(const Value& value, bool pretty) {
    Writer writer{pretty};
    writer.write(value);
    return writer.take();
}

std::optional<Value> parse_json(std::string_view text) {
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded()) return std::nullopt;
    return from_json(json);
}

}  // namespace qconn::cli
