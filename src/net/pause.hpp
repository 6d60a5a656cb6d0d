// SPDX-License-Identifier: Apache-2.0
/// Waiting that can be cancelled.
#pragma once

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::net {

/// Calls back on the runtime's loop at that instant; with CANCELLED where it is cancelled before.
Operation async_pause(const Runtime& runtime, Deadline until, UniqueFunction<void(Result<void>)> callback);

}  // namespace qconn::net
