// SPDX-License-Identifier: Apache-2.0
#include "core/environment.hpp"

#include <cstdlib>

#include <qconn/base/error.hpp>

#include "base/text.hpp"

namespace qconn::core {

namespace {

struct Found {
    std::size_t begin{npos};
    std::size_t end{npos};
    std::string name;
};

Found find_bare(std::string_view s) {
    for (std::size_t i = s.find('$'); i != npos; i = s.find('$', i + 1)) {
        if (i + 1 >= s.size() || !text::is_alpha(s[i + 1])) continue;
        std::size_t end = i + 2;
        while (end < s.size() && (text::is_alpha(s[end]) || text::is_digit(s[end]) || s[end] == '_')) ++end;
        return {i, end, std::string{s.substr(i + 1, end - i - 1)}};
    }
    return {};
}

Found find_bracketed(std::string_view s, char open, char close) {
    const char start[] = {'$', open};
    const std::size_t begin = s.find(std::string_view{start, 2});
    if (begin == npos) return {};
    const std::size_t end = s.find(close, begin + 2);
    if (end == npos) return {};
    return {begin, end + 1, std::string{s.substr(begin + 2, end - begin - 2)}};
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
    if (name.empty() || name.find_first_of(std::string_view{"=\0", 2}) != std::string::npos) return std::nullopt;
    const char* const value = std::getenv(name.c_str());
    if (!value) return std::nullopt;
    return std::string{value};
}

std::string substitute_environment(std::string_view text, std::string_view what, const EnvironmentLookup& lookup, const EnvironmentLimits& limits) {
    std::string out{text};
    if (out.find('$') == std::string::npos) return out;
    for (std::size_t n = 0;; ++n) {
        Found found = find_bare(out);
        if (found.begin == npos) found = find_bracketed(out, '{', '}');
        if (found.begin == npos) found = find_bracketed(out, '(', ')');
        if (found.begin == npos) return out;
        const std::string value = lookup(found.name).value_or(std::string{});
        if (n == limits.max_replacements || out.size() + value.size() > limits.max_size) {
            throw make_error(Errc::limit, "replacing the environment variables in " + std::string{what} +
                                              " does not come to an end: at the variable " + text::shorten(text::printable(found.name), 100) +
                                              " the limit of " + std::to_string(limits.max_replacements) + " replacements or " +
                                              std::to_string(limits.max_size) + " bytes was met; does its value name itself?");
        }
        out.replace(found.begin, found.end - found.begin, value);
    }
}

}  // namespace qconn::core
