// SPDX-License-Identifier: Apache-2.0
/// Errors of this layer, made in one place.
#pragma once

#include <string>

#include <qconn/auth/oauth2.hpp>

namespace qconn::auth {

/// An Error of phase auth with its stable name.
Error make_auth_error(AuthErrc code, std::string message, Reason reason);

}  // namespace qconn::auth
