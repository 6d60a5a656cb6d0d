// SPDX-License-Identifier: Apache-2.0
/// Regular expressions of schemas, with limits.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::openapi {

/// A pattern as ECMA-262 has it, found anywhere in a text. Immutable; used by many threads.
class Pattern {
public:
    /// @param problem  takes what is wrong with it
    static std::optional<Pattern> compile(std::string_view pattern, std::string& problem);

    enum class Outcome { found, none, limit };
    /// @param text   UTF-8
    /// @param steps  that matching may take
    Outcome search(std::string_view text, std::size_t steps) const;

private:
    Pattern() = default;
    std::shared_ptr<const void> code_;
    bool anchored_{false};
};

}  // namespace qconn::openapi
