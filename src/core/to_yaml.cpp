// SPDX-License-Identifier: Apache-2.0
// Definitions in their canonical form.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <qconn/core/definition.hpp>

#include "base/yaml.hpp"

namespace qconn {

namespace {

/// Text with no meaning to YAML, whatever reads it; all else goes into double quotes.
bool is_plain(std::string_view s) noexcept {
    constexpr std::string_view k_safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@ ()$<>=+~;^%*?&";
    constexpr std::array<std::string_view, 11> k_words{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none", "sqlnull"};
    if (s.empty() || s.size() > 1000) return false;
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (!is_letter(s[0]) && s[0] != '/' && s[0] != '_') return false;
    if (s.back() == ' ' || s.back() == ':') return false;
    if (s.find_first_not_of(k_safe) != std::string_view::npos || s.find(": ") != std::string_view::npos) return false;
    if (s[0] == 'P' && s.size() > 1 && s.find_first_not_of("PYMWDTHSu0123456789.-") == std::string_view::npos) return false;  // a duration
    std::string lower{s};
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return std::find(k_words.begin(), k_words.end(), lower) == k_words.end();
}

std::string plain_or_quoted(std::string_view s) { return is_plain(s) ? std::string{s} : yaml::text_scalar(s, true); }

/// A key with its colon. Readers may refuse more than 1024 characters before the colon on one line.
void append_key(std::string& out, const std::string& name, const char* indent) {
    const std::string key = plain_or_quoted(name);
    if (key.size() > 1000)
        out.append(indent).append("? ").append(key).append("\n").append(indent).append(":");
    else
        out.append(indent).append(key).append(":");
}

/// A map that would be taken for the typed spelling of its member `value`.
bool looks_typed(const Value& value) noexcept { return value.is_map() && value.as_map().contains("type"); }

void append_nested(std::string& out, const Value& value, int indent) {
    yaml::WriteOptions options;
    options.quote_text = true;
    options.indent = indent;
    const bool block = (value.is_map() || value.is_list()) && value.size() > 0;
    options.flow = !block;
    out += block ? "\n" + std::string(static_cast<std::size_t>(indent), ' ') : " ";
    yaml::append(out, value, options);
    if (!block) out += "\n";
}

void append_option(std::string& out, const std::string& name, const Value& value) {
    append_key(out, name, "  ");
    if (looks_typed(value)) {
        out += "\n    type: hash\n    value:";
        append_nested(out, value, 6);
    } else if (value.is_null()) {
        out += " null\n";
    } else if (value.is_string()) {
        out.append(" ").append(plain_or_quoted(value.as_string())).append("\n");
    } else {
        append_nested(out, value, 4);
    }
}

void append_flag(std::string& out, const char* key, const std::optional<bool>& value) {
    if (value) out.append(key).append(*value ? ": true\n" : ": false\n");
}

}  // namespace

std::string to_yaml(const Definition& d) {
    std::string out = "type: connection\nname: " + plain_or_quoted(d.name) + "\ndesc: " + plain_or_quoted(d.description) +
                      "\nurl: " + plain_or_quoted(d.url) + "\n";
    if (!d.options.empty()) {
        out += "options:\n";
        for (const auto& [name, value] : d.options) append_option(out, name, value);
    }
    if (!d.display_name.empty()) out.append("display_name: ").append(plain_or_quoted(d.display_name)).append("\n");
    if (!d.short_description.empty()) out.append("short_desc: ").append(plain_or_quoted(d.short_description)).append("\n");
    append_flag(out, "enabled", d.enabled);
    append_flag(out, "monitor", d.monitored);
    append_flag(out, "locked", d.locked);
    append_flag(out, "debug_data", d.debug_data);
    if (!d.tags.empty()) {
        out += "tags:";
        append_nested(out, Value{d.tags}, 2);
    }
    for (const auto& [name, value] : d.other) {
        append_key(out, name, "");
        append_nested(out, value, 2);
    }
    return out;
}

}  // namespace qconn
