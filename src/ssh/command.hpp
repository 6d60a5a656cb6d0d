// SPDX-License-Identifier: Apache-2.0
/// One command under way: its channel, what it reads and what it writes.
#pragma once

#include <memory>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/ssh/ssh_client.hpp>

#include "ssh/sessions.hpp"

namespace qconn::ssh {

/// Source and sinks are called on the loop.
Operation start_command(const std::shared_ptr<Sessions>& sessions, SshCommand command, Deadline deadline, Callback<SshResult> callback);

/// Waits. Source and sinks are called on this thread.
/// @throws Error
SshResult run_command(const std::shared_ptr<Sessions>& sessions, const SshCommand& command, Deadline deadline);

}  // namespace qconn::ssh
