// SPDX-License-Identifier: Apache-2.0
#include "openapi/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>

#include "base/text.hpp"

namespace qconn::openapi {

namespace {

constexpr std::size_t k_longest_pattern = 32'768;
// The limits of PCRE2 count for each place where a match may begin, of which a pattern without '^' has as many as the text has bytes.
constexpr std::size_t k_longest_searched = 32'768;
constexpr std::uint32_t k_deepest_groups = 100;
constexpr std::uint32_t k_heap_kib = 8'192;

struct Release {
    void operator()(pcre2_compile_context* p) const noexcept { pcre2_compile_context_free(p); }
    void operator()(pcre2_match_context* p) const noexcept { pcre2_match_context_free(p); }
    void operator()(pcre2_match_data* p) const noexcept { pcre2_match_data_free(p); }
};

PCRE2_SPTR units(std::string_view text) noexcept { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

std::optional<Pattern> Pattern::compile(std::string_view pattern, std::string& problem) {
    if (!text::valid_utf8(pattern)) {
        problem = "it is not UTF-8";
        return std::nullopt;
    }
    const std::unique_ptr<pcre2_compile_context, Release> context{pcre2_compile_context_create(nullptr)};
    pcre2_set_max_pattern_length(context.get(), k_longest_pattern);
    pcre2_set_parens_nest_limit(context.get(), k_deepest_groups);
    pcre2_set_compile_extra_options(context.get(), PCRE2_EXTRA_ALT_BSUX);
    // What ECMA-262 has otherwise than Perl: '$', \u, \x, empty classes, groups that took no part.
    constexpr std::uint32_t k_options =
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(units(pattern), pattern.size(), k_options, &error, &offset, context.get());
    if (code == nullptr) {
        PCRE2_UCHAR words[256] = {};
        pcre2_get_error_message(error, words, sizeof words);
        problem = std::string{reinterpret_cast<const char*>(words)} + " at offset " + std::to_string(offset);
        return std::nullopt;
    }
    Pattern out;
    std::uint32_t options = 0;
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    out.anchored_ = (options & PCRE2_ANCHORED) != 0;
    out.code_ = std::shared_ptr<const void>{code, [](const void* p) { pcre2_code_free(const_cast<pcre2_code*>(static_cast<const pcre2_code*>(p))); }};
    return out;
}

Pattern::Outcome Pattern::search(std::string_view text, std::size_t steps) const {
    if (!anchored_ && text.size() > k_longest_searched) return Outcome::limit;
    const auto* code = static_cast<const pcre2_code*>(code_.get());
    const std::unique_ptr<pcre2_match_context, Release> context{pcre2_match_context_create(nullptr)};
    const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(steps, UINT32_MAX));
    pcre2_set_match_limit(context.get(), most);
    pcre2_set_depth_limit(context.get(), most);
    pcre2_set_heap_limit(context.get(), k_heap_kib);
    const std::unique_ptr<pcre2_match_data, Release> data{pcre2_match_data_create_from_pattern(code, nullptr)};
    const int found = pcre2_match(code, units(text), text.size(), 0, 0, data.get(), context.get());
    if (found >= 0) return Outcome::found;
    return found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT ? Outcome::limit : Outcome::none;
}

}  // namespace qconn::openapi
