// SPDX-License-Identifier: Apache-2.0
#include "import/tree.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace qconn::importing {
namespace {

std::optional<std::uint32_t> code_unit(std::string_view text, std::size_t at) noexcept {
    if (text.substr(at, 2) != "\\u" || at + 6 > text.size()) return std::nullopt;
    std::uint32_t unit = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        const int digit = text::hex_digit(text[i]);
        if (digit < 0) return std::nullopt;
        unit = unit * 16 + static_cast<std::uint32_t>(digit);
    }
    return unit;
}

/// JSON writes characters above U+FFFF as two escapes, which YAML does not know: `\ud83d\ude00` becomes `\U0001F600`. What stands before it on its
/// line, and so the place of its key, stays where it is.
std::string joined_surrogates(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        const auto high = code_unit(text, i);
        const auto low = high ? code_unit(text, i + 6) : std::nullopt;
        if (low && *high >= 0xD800 && *high < 0xDC00 && *low >= 0xDC00 && *low < 0xE000) {
            const std::uint32_t character = 0x10000U + ((*high - 0xD800U) << 10U) + (*low - 0xDC00U);
            constexpr std::string_view k_digits = "0123456789ABCDEF";
            out += "\\U";
            for (int shift = 28; shift >= 0; shift -= 4) out += k_digits[(character >> static_cast<unsigned>(shift)) & 0xFU];
            i += 11;
            continue;
        }
        out += text[i];
        if (i + 1 < text.size()) out += text[++i];
    }
    return out;
}

/// Of problems whose own messages quote what stands there.
struct Wording {
    std::string_view code;
    std::string_view message;
};
constexpr std::array<Wording, 3> k_wordings{{{"duplicate-key", "this key stands here a second time; the first one counts"},
                                             {"unknown-anchor", "nothing before this has an anchor of this name; it is taken for nothing"},
                                             {"cut-by-comment", "the value ends here, as ` #` begins a comment"}}};

bool is_json(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

yaml::ParseResult read_tree(std::string_view text, Run& run) {
    const yaml::Limits limits{.size = k_largest_text, .depth = 64, .nodes = 1'000'000, .documents = k_most_connections, .problems = 100};
    yaml::ParseResult tree = is_json(text) ? yaml::parse(joined_surrogates(text), limits) : yaml::parse(text, limits);
    for (const yaml::Problem& problem : tree.problems) {
        const Place place{problem.at.line, problem.at.column, 1};
        const auto* const known = std::find_if(k_wordings.begin(), k_wordings.end(), [&](const Wording& one) { return one.code == problem.code; });
        if (known != k_wordings.end())
            run.warning(problem.code, place, std::string{known->message});
        else
            run.error(problem.code, place, problem.message, problem.hint);
    }
    return tree;
}

Place place_of(const yaml::Node& node) noexcept { return {node.start().line, node.start().column, node.length()}; }

Value value_of(const yaml::Node& node) {
    if (node.is_mapping()) {
        Map map;
        for (const auto [key, value] : node.entries())
            if (key.is_scalar()) map.insert(std::string{key.text()}, value_of(value));
        return map;
    }
    if (node.is_sequence()) {
        List list;
        for (const yaml::Node& item : node.items()) list.push_back(value_of(item));
        return list;
    }
    return node.is_null() ? Value{} : Value{node.text()};
}

}  // namespace qconn::importing
