// SPDX-License-Identifier: Apache-2.0
/// What a file of secrets says.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn::core {

inline constexpr std::size_t k_most_overlay_bytes = 1024 * 1024;

struct OverlayEntry {
    /// "password", "headers.Authorization": letters, digits and `_.-`.
    std::string key;
    Place place;
    Secret value;
};

struct OverlayConnection {
    Place place;
    std::vector<OverlayEntry> entries;
    /// Entries that cannot be used.
    Diagnostics findings;
};

struct OverlayText {
    std::map<std::string, OverlayConnection, std::less<>> connections;
    /// Why all of it cannot be used; `connections` then is empty.
    Diagnostics problems;

    const OverlayEntry* find(std::string_view connection, std::string_view key) const noexcept;
};

/// Letters, digits and `_.-`.
bool is_overlay_key(std::string_view text) noexcept;

/// @param file  for the findings; these show keys, never a value
OverlayText parse_overlay(std::string_view text, const std::string& file);

/// One about a place in such a file.
/// @param key  what stands there; empty: no line is shown
Diagnostic overlay_finding(Severity severity, std::string code, const std::string& file, Place place, std::string message, std::string hint = {},
                           std::string_view key = {});

}  // namespace qconn::core
