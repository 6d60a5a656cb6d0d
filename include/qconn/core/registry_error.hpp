// SPDX-License-Identifier: Apache-2.0
/// What a registry refuses, as error codes.
#pragma once

#include <system_error>
#include <type_traits>

#include <qconn/base/export.hpp>

namespace qconn {

/// Codes of the registry's own errors. The name in brackets is what Error::name() says.
enum class RegistryErrc {
    unknown = 1,  ///< CONNECTION-UNKNOWN: no connection of that name
    disabled,     ///< CONNECTION-DISABLED: switched off by an operator
    invalid,      ///< INVALID-CONNECTION: its definition cannot be used
    removed,      ///< CONNECTION-REMOVED: it went after the Ref was made, or its registry did
    type,         ///< CONNECTION-TYPE-ERROR: its client is of another type
    exclusive,    ///< CONNECTION-EXCLUSIVE: its client cannot be shared; use open
    exists,       ///< CONNECTION-ERROR: the name is taken
    definition,   ///< CONNECTION-DEFINITION-ERROR: a definition given by code is invalid
    locked,       ///< CONNECTION-LOCKED: locked against update and removal
    option,       ///< CONNECTION-OPTION-ERROR: an option given to open() is wrong
    load,         ///< LOAD-ERROR: there is no such directory or file
};
QCONN_API const std::error_category& registry_category() noexcept;
QCONN_API std::error_code make_error_code(RegistryErrc code) noexcept;

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::RegistryErrc> : std::true_type {};
