// SPDX-License-Identifier: Apache-2.0
/// The error codes of a family, in a table.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace qconn {

/// Of a code: what its errors are called, and what it means.
struct CodeWords {
    std::string_view name;
    std::string_view words;
};

/// @param codes  in the order of their enumeration, which begins with 1
/// @returns null where there is no such code
constexpr const CodeWords* find_code(std::span<const CodeWords> codes, int code) noexcept {
    const std::size_t index = static_cast<std::size_t>(code) - 1;
    return index < codes.size() ? &codes[index] : nullptr;
}

/// What errors of that code are called; as those of the first one where there is no such code.
template <class Code>
constexpr std::string_view code_name(std::span<const CodeWords> codes, Code code) noexcept {
    const CodeWords* known = find_code(codes, static_cast<int>(code));
    return known != nullptr ? known->name : codes.front().name;
}

/// Over a table that outlives it.
class CodeCategory final : public std::error_category {
public:
    CodeCategory(const char* name, std::span<const CodeWords> codes) noexcept : name_{name}, codes_{codes} {}

    const char* name() const noexcept override { return name_; }
    std::string message(int code) const override {
        const CodeWords* known = find_code(codes_, code);
        return std::string{known != nullptr ? known->words : "unknown"};
    }

private:
    const char* name_;
    std::span<const CodeWords> codes_;
};

}  // namespace qconn
