// SPDX-License-Identifier: Apache-2.0
/// Errors of the SSH family, made in one place.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/ssh/ssh_error.hpp>

namespace qconn::ssh {

/// An Error of this family with its stable name.
Error ssh_error(SshErrc code, std::string message, Phase phase, Reason reason, std::string_view connection = {});
/// TIMEOUT or CANCELLED: "WHAT failed: the deadline has passed while …".
Error stopped(bool cancelled, std::string_view what, std::string_view while_doing, Phase phase, std::string_view connection);

}  // namespace qconn::ssh
