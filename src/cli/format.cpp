// SPDX-License-Identifier: Apache-2.0
#include "cli/format.hpp"

#include <array>
#include <utility>

namespace qconn::cli {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 6> k_formats{
    {{Format::table, "table"}, {Format::json, "json"}, {Format::yaml, "yaml"}, {Format::csv, "csv"}, {Format::sarif, "sarif"}, {Format::dot, "dot"}}};
constexpr std::size_t k_common = 4;  // of these every command has the first

}  // namespace

std::string_view to_string(Format format) noexcept {
    for (const auto& [one, word] : k_formats)
        if (one == format) return word;
    return "";
}

std::optional<Format> format_named(std::string_view word) noexcept {
    for (const auto& [one, name] : k_formats)
        if (name == word) return one;
    return std::nullopt;
}

std::string formats_text(const std::vector<Format>& further, std::string_view between) {
    std::string text;
    for (std::size_t i = 0; i < k_common; ++i) (text += i == 0 ? std::string_view{} : between) += k_formats[i].second;
    for (const Format one : further) (text += between) += to_string(one);
    return text;
}

}  // namespace qconn::cli
