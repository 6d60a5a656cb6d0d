// SPDX-License-Identifier: Apache-2.0
#include "telnet/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>

namespace qconn::telnet {
namespace {

constexpr std::size_t k_longest_pattern = 8'192;
constexpr std::uint32_t k_deepest_groups = 50;
/// PCRE2 counts steps for each place where a match may begin. So it is let begin in so many places, and then the time is looked at.
constexpr std::size_t k_places = 1'024;
constexpr std::uint32_t k_steps = 100'000;
constexpr std::uint32_t k_heap_kib = 8'192;

struct Release {
    void operator()(pcre2_compile_context* p) const noexcept { pcre2_compile_context_free(p); }
    void operator()(pcre2_match_context* p) const noexcept { pcre2_match_context_free(p); }
    void operator()(pcre2_match_data* p) const noexcept { pcre2_match_data_free(p); }
};

PCRE2_SPTR units_of(std::string_view text) noexcept { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

TelnetMatch groups_of(const pcre2_code* code, std::string_view text, const PCRE2_SIZE* places, std::uint32_t count) {
    TelnetMatch out;
    const auto part = [&](std::uint32_t group) -> std::optional<std::string> {
        const PCRE2_SIZE begin = places[2 * group];
        const PCRE2_SIZE end = places[2 * group + 1];
        if (begin == PCRE2_UNSET || end == PCRE2_UNSET || begin > end) return std::nullopt;
        return std::string{text.substr(begin, end - begin)};
    };
    out.text = part(0).value_or(std::string{});
    for (std::uint32_t group = 1; group < count; ++group) out.groups.push_back(part(group));
    std::uint32_t names = 0;
    std::uint32_t size = 0;
    PCRE2_SPTR table = nullptr;
    pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &names);
    pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
    for (std::uint32_t i = 0; i < names; ++i, table += size) {
        const std::uint32_t group = static_cast<std::uint32_t>(table[0]) << 8U | table[1];
        if (auto words = part(group)) out.names.emplace(reinterpret_cast<const char*>(table + 2), std::move(*words));
    }
    return out;
}

}  // namespace

std::optional<Pattern> Pattern::compile(const TelnetPattern& pattern, std::string& problem) {
    if (pattern.text.empty()) {
        problem = "it is empty, and would be found everywhere";
        return std::nullopt;
    }
    const std::unique_ptr<pcre2_compile_context, Release> context{pcre2_compile_context_create(nullptr)};
    pcre2_set_max_pattern_length(context.get(), k_longest_pattern);
    pcre2_set_parens_nest_limit(context.get(), k_deepest_groups);
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    constexpr std::uint32_t k_common = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_USE_OFFSET_LIMIT;
    const std::uint32_t options = k_common | (pattern.is_literal ? PCRE2_LITERAL : PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(units_of(pattern.text), pattern.text.size(), options, &error, &offset, context.get());
    if (code == nullptr) {
        PCRE2_UCHAR words[256] = {};
        pcre2_get_error_message(error, words, sizeof words);
        problem = std::string{reinterpret_cast<const char*>(words)} + " at offset " + std::to_string(offset);
        return std::nullopt;
    }
    Pattern out;
    out.code_ = std::shared_ptr<const void>{code, [](const void* p) { pcre2_code_free(const_cast<pcre2_code*>(static_cast<const pcre2_code*>(p))); }};
    return out;
}

Pattern::Search Pattern::search(std::string_view text, std::size_t from, Deadline give_up, bool with_groups) const {
    const auto* code = static_cast<const pcre2_code*>(code_.get());
    const std::unique_ptr<pcre2_match_context, Release> context{pcre2_match_context_create(nullptr)};
    pcre2_set_match_limit(context.get(), k_steps);
    pcre2_set_depth_limit(context.get(), k_steps);
    pcre2_set_heap_limit(context.get(), k_heap_kib);
    const std::unique_ptr<pcre2_match_data, Release> data{pcre2_match_data_create_from_pattern(code, nullptr)};

    Search out;
    out.from = text.size();
    for (std::size_t start = std::min(from, text.size());;) {
        // PCRE2 refuses to begin within a character.
        while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) ++start;
        const std::size_t last = start + k_places;
        pcre2_set_offset_limit(context.get(), last);
        const int rc = pcre2_match(code, units_of(text), text.size(), start, PCRE2_PARTIAL_SOFT, data.get(), context.get());
        const PCRE2_SIZE* places = pcre2_get_ovector_pointer(data.get());
        if (rc > 0) {
            out.outcome = Outcome::found;
            out.found = {std::min(places[0], places[1]), places[1]};  // \K may turn them round
            if (with_groups) out.match = groups_of(code, text, places, pcre2_get_ovector_count(data.get()));
            return out;
        }
        if (rc == PCRE2_ERROR_PARTIAL) {
            if (out.outcome != Outcome::partial) out.from = places[0];
            out.outcome = Outcome::partial;
        } else if (rc != PCRE2_ERROR_NOMATCH) {
            out.outcome = Outcome::limit;
            return out;
        }
        if (last >= text.size()) return out;
        if (give_up.has_passed()) {
            out.outcome = Outcome::limit;
            return out;
        }
        start = last;
    }
}

}  // namespace qconn::telnet
