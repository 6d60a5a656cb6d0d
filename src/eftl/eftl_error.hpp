// SPDX-License-Identifier: Apache-2.0
/// Errors of the eFTL family, made in one place.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/eftl/eftl_error.hpp>

namespace qconn::eftl {

/// An Error of this family with its stable name, phase and reason.
/// @param number  the protocol's; 0: none. @param words  the server's own
Error eftl_error(EftlErrc code, std::string message, int number = 0, std::string_view words = {});

}  // namespace qconn::eftl
