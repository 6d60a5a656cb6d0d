// SPDX-License-Identifier: Apache-2.0
/// Names of files that are not finished: not listed unless they are asked for, whatever the protocol.
#pragma once

#include <string>
#include <string_view>

namespace qconn::file {

/// `.qconn-<16 hex digits>.tmp`, never twice the same.
/// @throws Error SYSTEM-ERROR where the system has no random numbers
std::string temporary_name();
/// `.qconn-<16 hex digits>.part`, always the same for that name: a transfer that is gone on with finds it again.
std::string part_name(std::string_view name);
bool is_temporary(std::string_view name) noexcept;

/// A glob for all of these names.
inline constexpr std::string_view k_all_temporary = ".qconn-*";
/// Lists leave these names out, unless their glob begins as the names do.
bool asks_for_temporary(std::string_view glob) noexcept;

}  // namespace qconn::file
