// SPDX-License-Identifier: Apache-2.0
/// The cheap ping of an SSH server: its greeting (RFC 4253, 4.2).
#pragma once

#include <memory>
#include <string>

#include <qconn/net/dialogue.hpp>

namespace qconn::ssh {

/// Both sides say their version; then the connection is closed. The greeting is what the server says before anything is agreed on.
std::unique_ptr<Dialogue> make_greeting();

}  // namespace qconn::ssh
