// SPDX-License-Identifier: Apache-2.0
#include "base/form.hpp"

#include <optional>

#include "base/scalar_text.hpp"
#include "base/text.hpp"

namespace qconn::form {

namespace {

void append_escaped(std::string& out, std::string_view text, std::string_view safe, bool plus) {
    static constexpr std::string_view k_hex = "0123456789ABCDEF";
    for (const char c : text) {
        if (text::is_alpha(c) || text::is_digit(c) || safe.find(c) != std::string_view::npos) {
            out += c;
        } else if (plus && c == ' ') {
            out += '+';
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append("%").append(1, k_hex[byte >> 4U]).append(1, k_hex[byte & 15U]);
        }
    }
}

[[noreturn]] void refuse(std::string_view what) {
    Error error = make_error(Errc::serialize, {});
    throw Error{error.code(), "FORMURLENCODING-ERROR", std::string{"writing a value as a form failed: "}.append(what)}
        .with_phase(error.phase())
        .with_reason(error.reason());
}

void append_field(std::string& out, std::string_view name, const Value& value) {
    constexpr std::string_view k_safe = "-._*";
    if (!out.empty()) out += '&';
    append_escaped(out, name, k_safe, true);
    out += '=';
    if (value.is_binary()) {
        append_escaped(out, value.as_bytes(), k_safe, true);
        return;
    }
    const auto text = text::scalar(value);
    if (!text) refuse("the field \"" + text::printable(name) + "\" holds a " + std::string{to_string(value.kind())} + ", a form has text only");
    append_escaped(out, *text, k_safe, true);
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 1 < text.size() ? text::hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? text::hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (!text::valid_utf8(out)) return std::nullopt;
    return out;
}

}  // namespace

std::string encode(const Value& value) {
    if (!value.is_map()) refuse("a form is made of a map, not of a " + std::string{to_string(value.kind())});
    std::string out;
    for (const auto& [name, field] : value.as_map()) {
        if (field.is_list()) {
            for (const Value& item : field.as_list()) append_field(out, name, item);
        } else {
            append_field(out, name, field);
        }
    }
    return out;
}

Result<Value> decode(std::string_view text, std::size_t most) {
    Map fields;
    if (text.empty()) return Value{std::move(fields)};
    std::size_t n = 0, start = 0;
    for (const std::string_view field : text::split(text, '&')) {
        const std::size_t offset = std::exchange(start, start + field.size() + 1);
        if (field.empty()) continue;
        if (++n > most) return make_error(Errc::limit, "the form has more than " + std::to_string(most) + " fields");
        const std::size_t equals = field.find('=');
        const auto name = unescaped(field.substr(0, equals));
        const auto content = equals == std::string_view::npos ? std::optional{std::string{}} : unescaped(field.substr(equals + 1));
        if (!name || !content)
            return make_error(Errc::parse,
                              "the text is not a good form: the field at byte " + std::to_string(offset) + " has a broken escape or is not UTF-8");
        Value* there = fields.find(*name);
        if (!there)
            fields.insert(*name, Value{*content});
        else if (there->is_list())
            there->as_list().emplace_back(*content);
        else
            *there = Value{List{Value{std::move(*there)}, Value{*content}}};
    }
    return Value{std::move(fields)};
}

std::string percent_encode(std::string_view text) {
    std::string out;
    append_escaped(out, text, "-._~", false);
    return out;
}

}  // namespace qconn::form
