// SPDX-License-Identifier: Apache-2.0
/// The word `format` of schemas.
#pragma once

#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::openapi {

/// Null pointer for a format that is not known, or says nothing that could be checked ("password", "binary").
struct Format {
    std::string_view name;
    /// What a text of it is: "a date such as 2026-05-01".
    std::string_view words;
    /// Null: the format is one of numbers.
    bool (*text)(std::string_view);
    bool (*number)(const Value&);
};
const Format* find_format(std::string_view name) noexcept;

}  // namespace qconn::openapi
