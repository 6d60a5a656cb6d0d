// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "cli/tool.hpp"

namespace qconn::cli {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, double>, 5> k_units{{{"ms", 1}, {"s", 1e3}, {"", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
    constexpr double k_year = 366.0 * 24 * 3600e3;
    double number = 0;
    const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || std::signbit(number) || !std::isfinite(number)) return std::nullopt;
    const std::string_view suffix{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    for (const auto& [unit, factor] : k_units) {
        if (suffix != unit) continue;
        const double milliseconds = number * factor;
        if (milliseconds > k_year) return std::nullopt;
        // Not rounded to zero: zero has a meaning of its own ("none", "by default").
        if (milliseconds > 0 && milliseconds < 1) return std::chrono::milliseconds{1};
        return std::chrono::milliseconds{std::llround(milliseconds)};
    }
    return std::nullopt;
}

std::chrono::milliseconds duration_option(std::string_view option, const std::string& text) {
    if (const auto time = parse_duration(text)) return *time;
    throw UsageError(std::string{option} + ": '" + text + "' is not a time; write 500ms, 30s, 5m or 1h, a bare number means seconds");
}

}  // namespace qconn::cli
