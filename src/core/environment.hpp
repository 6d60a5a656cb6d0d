// SPDX-License-Identifier: Apache-2.0
/// Environment variables in options and URLs that ask for it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::core {

/// The values of variables are expanded too, so that one that names itself would never come to an end.
struct EnvironmentLimits {
    std::size_t max_replacements{1'000};
    std::size_t max_size{64 * 1024};
};

/// The value of a variable; nothing where it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

/// `$NAME` (a letter, then letters, digits, underscores), `${NAME}` and `$(NAME)` replaced, in this order, until none is left; one that is not
/// set becomes nothing. A `${` or `$(` that is not closed stays.
/// @param what  names the place in messages
/// @throws Error LIMIT-EXCEEDED naming the variable at which the limit was met, never its value
std::string substitute_environment(std::string_view text, std::string_view what, const EnvironmentLookup& lookup = process_environment,
                                   const EnvironmentLimits& limits = {});

}  // namespace qconn::core
